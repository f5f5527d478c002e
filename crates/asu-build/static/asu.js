// Draws charts from the tables that are on the page anyway, and keeps the numbers of the queue up to date.
"use strict";

(() => {
  const REFRESH_MS = 15000;

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // The first column of a table names the points, each other one is a line; its head may name a colour of the style.
  function readTable(table) {
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows];
    return {
      labels: rows.map((row) => row.cells[0].textContent),
      lines: heads.map((head, index) => ({
        label: head.textContent,
        color: head.dataset.color,
        data: rows.map((row) => Number(row.cells[index + 1].textContent)),
      })),
    };
  }

  // Hues a golden angle apart: neighbours never look alike, however many there are.
  function hue(index) {
    const lightness = matchMedia("(prefers-color-scheme: dark)").matches ? 66 : 42;
    return `hsl(${Math.round(200 + index * 137.5) % 360} 65% ${lightness}%)`;
  }

  const shorten = (text, longest) => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);

  function axis(grid) {
    return {
      beginAtZero: true,
      ticks: { color: color("--quiet"), precision: 0, maxRotation: 0, autoSkipPadding: 18 },
      grid: { display: grid, color: color("--grid") },
      border: { color: color("--line") },
    };
  }

  function draw(figure) {
    const box = figure.querySelector(".chart");
    const canvas = box.querySelector("canvas");
    const { labels, lines } = readTable(figure.querySelector("table"));
    const bars = figure.dataset.chart === "bar";
    const datasets = lines.map((line, index) => {
      const ink = line.color ? color(line.color) : bars ? color("--accent") : hue(index);
      return {
        label: line.label,
        data: line.data,
        borderColor: ink,
        backgroundColor: ink,
        borderWidth: bars ? 0 : 2,
        pointRadius: 0,
        pointHitRadius: 12,
      };
    });
    box.hidden = false;
    Chart.getChart(canvas)?.destroy();
    const counted = axis(true);
    const named = axis(false);
    if (bars) {
      // The whole name is in the table; the chart must have room for its bars.
      const longest = box.clientWidth < 500 ? 18 : 40;
      named.ticks.autoSkip = false;
      named.ticks.callback = (_, index) => shorten(labels[index], longest);
    }
    new Chart(canvas, {
      type: bars ? "bar" : "line",
      data: { labels, datasets },
      options: {
        animation: false,
        maintainAspectRatio: false,
        indexAxis: bars ? "y" : "x",
        interaction: { mode: "index", axis: bars ? "y" : "x", intersect: false },
        scales: bars ? { x: counted, y: named } : { x: named, y: counted },
        plugins: {
          legend: { display: !bars, position: "bottom", labels: { color: color("--text"), boxWidth: 14, boxHeight: 3 } },
        },
      },
    });
  }

  // Where nothing was counted there is nothing to draw.
  const figures = [...document.querySelectorAll("figure[data-chart]")].filter((f) => f.querySelector(".chart"));
  if (typeof Chart !== "undefined") {
    figures.forEach((figure) => {
      draw(figure);
      figure.querySelector("details").open = false;
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures.forEach(draw));
  }

  const select = document.querySelector("select[name=branch]");
  if (select) {
    select.form.querySelector("button").hidden = true;
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  // Redis or the network may be away for a while: the last numbers stay.
  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch("/api/v1/stats");
      if (!answer.ok) return;
      const numbers = await answer.json();
      for (const place of document.querySelectorAll("[data-number]")) {
        const number = numbers[place.dataset.number];
        if (Number.isInteger(number)) place.textContent = String(number);
      }
    } catch {
      // The next try tells.
    }
  }

  if (document.querySelector("[data-number]")) {
    setInterval(refresh, REFRESH_MS);
    document.addEventListener("visibilitychange", refresh);
  }
})();
