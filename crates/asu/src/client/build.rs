//! `asu build`: prepares, asks, has it built, and fetches the images.

use std::time::Duration;

use indicatif::BinaryBytes;
use serde_json::Value;

use crate::{
    client::{
        answer::Answer,
        api::Api,
        ask::{Asker, Question},
        confirm::confirm,
        download::Downloader,
        error::ClientError,
        image::Wanted,
        image_name::ImageName,
        options::BuildOptions,
        patience::Patience,
        progress::Progress,
        report::{Report, StoredFile},
    },
    output::{Output, Style, harmless},
};

/// Does all of it; the report tells how far it came, whatever the outcome.
pub(crate) async fn build(options: &BuildOptions, output: Output, report: &mut Report) -> Result<(), ClientError> {
    let request = options.request.request()?;
    let api = Api::new(options.connection.server.clone())?;
    let mut asker = asker(options, &api, output);
    let request =
        if options.no_prepare { request } else { agree(&mut asker, request, options.yes, output, report).await? };
    // Thinking about the changes is not waiting for the server.
    asker.patience = patience(options);
    let finished = asker.build(&request, !options.no_prepare, report).await?;
    drop(asker);
    download(options, &api, &request, &finished, output, report).await
}

fn asker(options: &BuildOptions, api: &Api, output: Output) -> Asker {
    Asker { api: api.clone(), progress: Progress::new(output), patience: patience(options) }
}

fn patience(options: &BuildOptions) -> Patience {
    // A pause of nothing would be a storm of questions.
    Patience::new(options.timeout, options.poll_interval.max(Duration::from_millis(10)))
}

/// Shows what the server would change and asks whether to build that.
async fn agree(
    asker: &mut Asker,
    request: Value,
    yes: bool,
    output: Output,
    report: &mut Report,
) -> Result<Value, ClientError> {
    let answer = asker.ask(Question::Prepare(&request), Duration::ZERO).await?;
    report.note_answer(&answer);
    let prepared = asker.prepared(answer)?;
    report.changes.clone_from(&prepared.changes);
    prepared.print_changes(&output);
    confirm(yes, output).await?;
    Ok(prepared.request)
}

async fn download(
    options: &BuildOptions,
    api: &Api,
    request: &Value,
    finished: &Answer,
    output: Output,
    report: &mut Report,
) -> Result<(), ClientError> {
    let wanted = Wanted { types: &options.image, filesystem: request.get("filesystem").and_then(Value::as_str) };
    let images = wanted.choose(finished)?;
    let bin_dir = ImageName::parse_path(&finished.text_of("bin_dir"))?;
    let directory = options.output.as_path();
    tokio::fs::create_dir_all(directory)
        .await
        .map_err(|source| ClientError::Write { path: directory.to_owned(), source })?;
    let downloader = Downloader { api, bin_dir: &bin_dir, directory, output, pause: options.poll_interval };
    output.note(&headline(finished));
    for image in &images {
        let file = downloader.fetch(image).await?;
        print(&file, options.connection.quiet, output);
        report.files.push(file);
    }
    Ok(())
}

fn headline(finished: &Answer) -> String {
    let words = ["version_number", "version_code", "target", "id"].map(|key| finished.text_of(key));
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    harmless(&format!("built {}", words.join(" ")))
}

fn print(file: &StoredFile, quiet: bool, output: Output) {
    if quiet {
        output.result(&file.path);
        return;
    }
    let kind: Vec<_> = [&file.filesystem, &file.kind].into_iter().flatten().map(|word| harmless(word)).collect();
    output.result(&format!(
        "{}  {}  {}\n  sha256 {}",
        output.paint(Style::Bold, &file.path),
        BinaryBytes(file.size),
        kind.join(" "),
        file.sha256
    ));
}
