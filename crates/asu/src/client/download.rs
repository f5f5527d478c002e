//! Fetches images: in a stream, checked while they arrive, continued where they broke off.

use std::{path::Path, time::Duration};

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{Response, StatusCode, header::CONTENT_RANGE};
use tokio::time::sleep;

use crate::{
    client::{
        answer::Answer,
        api::Api,
        error::ClientError,
        image::Image,
        image_name::ImageName,
        part_file::{PartFile, sha256_of},
        report::StoredFile,
    },
    output::Output,
};

/// How often a download that breaks off is continued.
const ATTEMPTS: u32 = 6;
/// The largest file that is fetched where the server does not tell the size.
const LARGEST_FILE: u64 = 16 << 30;
const STYLE: &str = "{wide_msg} [{bar:21}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}";

/// Where images come from and where they go.
#[derive(Debug)]
pub(crate) struct Downloader<'a> {
    /// The server.
    pub(crate) api: &'a Api,
    /// The directory below `/store`.
    pub(crate) bin_dir: &'a [ImageName],
    /// Our directory.
    pub(crate) directory: &'a Path,
    /// What the user sees.
    pub(crate) output: Output,
    /// How long to wait before a download that broke off is continued.
    pub(crate) pause: Duration,
}

/// How one attempt ended.
enum Attempt {
    Complete,
    /// To be tried again; the error is what the user is told if there is no next time.
    Again(ClientError),
}

impl Downloader<'_> {
    /// Fetches one image, unless the very same file is there already.
    pub(crate) async fn fetch(&self, image: &Image) -> Result<StoredFile, ClientError> {
        let target = self.directory.join(image.name.as_str());
        if let Some((found, size)) = sha256_of(&target).await
            && found == image.sha256
        {
            self.output.note(&format!("{}: is there already", image.name));
            return Ok(StoredFile::new(image, &target, size));
        }
        let bar = self.bar(image);
        let outcome = self.fetch_in_attempts(image, &target, &bar).await;
        bar.finish_and_clear();
        let size = outcome?;
        if !self.output.shows_bars() {
            self.output.note(&format!("{}: {}, sha256 is right", image.name, BinaryBytes(size)));
        }
        Ok(StoredFile::new(image, &target, size))
    }

    async fn fetch_in_attempts(&self, image: &Image, target: &Path, bar: &ProgressBar) -> Result<u64, ClientError> {
        let mut attempt = 1;
        loop {
            let mut part = PartFile::open(target).await?;
            let resumed = part.length() > 0;
            let trouble = match self.fetch_rest(image, &mut part, bar).await? {
                Attempt::Complete if part.sha256() == image.sha256 => {
                    let size = part.length();
                    return part.keep_as(target).await.map(|()| size);
                }
                // The beginning may be of another build; without it the file can still be right.
                Attempt::Complete => {
                    let error = checksum_error(image, &part);
                    part.discard().await?;
                    if !resumed {
                        return Err(error);
                    }
                    error
                }
                Attempt::Again(error) => error,
            };
            attempt += 1;
            if attempt > ATTEMPTS {
                return Err(trouble);
            }
            sleep(self.pause).await;
        }
    }

    /// Fetches what the part lacks.
    async fn fetch_rest(&self, image: &Image, part: &mut PartFile, bar: &ProgressBar) -> Result<Attempt, ClientError> {
        let from = part.length();
        // Whatever is there: complete, or of another build.
        if image.size.is_some_and(|size| size <= from) && from > 0 {
            return Ok(Attempt::Complete);
        }
        let segments: Vec<_> = self.bin_dir.iter().chain([&image.name]).map(ImageName::as_str).collect();
        let response = match self.api.file(&segments, from).await {
            Ok(response) => response,
            Err(source) => return Ok(Attempt::Again(ClientError::BrokenOff { name: image.name.to_string(), source })),
        };
        match response.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(&response, from) => {}
            StatusCode::OK => part.restart().await?,
            // The part is no part of this file, or of its end there is nothing left to fetch: the hash will tell.
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return Ok(Attempt::Complete),
            _ => return self.refusal(response).await,
        }
        self.read(response, image, part, bar).await
    }

    async fn read(
        &self,
        mut response: Response,
        image: &Image,
        part: &mut PartFile,
        bar: &ProgressBar,
    ) -> Result<Attempt, ClientError> {
        let limit = image.size.unwrap_or(LARGEST_FILE);
        bar.set_length(image.size.or_else(|| Some(response.content_length()? + part.length())).unwrap_or(0));
        loop {
            bar.set_position(part.length());
            match response.chunk().await {
                Ok(None) => return Ok(Attempt::Complete),
                Ok(Some(chunk)) if part.length() + chunk.len() as u64 > limit => {
                    part.restart().await?;
                    return Err(ClientError::TooLarge { name: image.name.to_string(), limit });
                }
                Ok(Some(chunk)) => part.append(&chunk).await?,
                Err(source) => {
                    part.flush().await?;
                    let (name, source) = (image.name.to_string(), source.without_url());
                    return Ok(Attempt::Again(ClientError::BrokenOff { name, source }));
                }
            }
        }
    }

    async fn refusal(&self, response: Response) -> Result<Attempt, ClientError> {
        let status = response.status().as_u16();
        // What the answer says is of less worth than its status; an answer that breaks off is not worth an error.
        let text = self.api.read_text(response).await.unwrap_or_default();
        let answer = Answer::new(status, None, &text);
        let passing = answer.is_passing();
        let error = ClientError::Refused(Box::new(answer));
        if passing { Ok(Attempt::Again(error)) } else { Err(error) }
    }

    fn bar(&self, image: &Image) -> ProgressBar {
        if !self.output.shows_bars() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(STYLE).expect("the template is a constant, a test reads it");
        let bar = ProgressBar::with_draw_target(image.size, ProgressDrawTarget::stderr());
        bar.with_style(style.progress_chars("=> ")).with_message(image.name.to_string())
    }
}

fn checksum_error(image: &Image, part: &PartFile) -> ClientError {
    ClientError::Checksum { name: image.name.to_string(), found: part.sha256(), expected: image.sha256.clone() }
}

/// `Content-Range: bytes 5-9/10`
fn starts_at(response: &Response, from: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|text| text.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()) == Some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(STYLE).is_ok());
    }
}
