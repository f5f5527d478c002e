//! Serves a directory as downloads.openwrt.org does: plain files, read only. For the demo and the benchmarks.

use std::{io::Write, net::SocketAddr, path::PathBuf};

use axum::Router;
use clap::Parser;
use tokio::{net::TcpListener, signal};
use tower_http::services::ServeDir;

/// Serves a directory of files over HTTP and prints its URL.
#[derive(Parser)]
struct Arguments {
    /// The directory to serve.
    #[arg(long)]
    tree: PathBuf,
    /// Address and port to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { tree, listen } = Arguments::parse();
    anyhow::ensure!(tree.is_dir(), "there is no directory {}", tree.display());
    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let router = Router::new().fallback_service(ServeDir::new(tree).append_index_html_on_directories(false));
    axum::serve(listener, router).with_graceful_shutdown(terminated()).await?;
    Ok(())
}

async fn terminated() {
    let mut terminate =
        signal::unix::signal(signal::unix::SignalKind::terminate()).expect("signals can be listened for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = signal::ctrl_c() => {}
    }
}
