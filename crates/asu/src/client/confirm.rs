//! Asks the user whether to go on.

use std::io;

use crate::{client::error::ClientError, output::Output};

/// Asks, unless the answer was given on the command line.
///
/// # Errors
/// The user says no, or there is nobody to ask.
pub(crate) async fn confirm(yes: bool, output: Output) -> Result<(), ClientError> {
    if yes {
        return Ok(());
    }
    if !output.is_interactive() {
        let sentence = "this is no terminal, so nobody can be asked: give --yes to build without asking";
        return Err(ClientError::Usage(sentence.to_owned()));
    }
    output.ask("Build this? [Y/n]");
    // Reading a terminal blocks, and Ctrl-C must be heard meanwhile.
    let answer = tokio::task::spawn_blocking(read_line).await.unwrap_or_default();
    if says_yes(&answer) { Ok(()) } else { Err(ClientError::Declined) }
}

/// Empty at the end of the input.
fn read_line() -> String {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map(|_| line).unwrap_or_default()
}

/// The end of the input is a no: Enter is an empty line, not nothing.
fn says_yes(answer: &str) -> bool {
    !answer.is_empty() && matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_is_yes_and_the_end_of_the_input_is_no() {
        for (answer, yes) in [("\n", true), ("y\n", true), ("YES\n", true), ("", false), ("n\n", false), ("x\n", false)]
        {
            assert_eq!(says_yes(answer), yes, "{answer:?}");
        }
    }
}
