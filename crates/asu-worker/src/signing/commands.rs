//! What signs an image, as OpenWrt's own build does it: the ImageBuilder's tools as argument vectors.

/// Where the ImageBuilder keeps its tools.
const TOOLS: &str = "/builder/staging_dir/host/bin";

/// A tool and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SigningCommand {
    /// What it is called in errors.
    pub(crate) program: &'static str,
    /// What is run.
    pub(crate) argv: Vec<String>,
    /// It ends with another status than 0 when there is nothing for it to do.
    pub(crate) may_find_nothing: bool,
}

/// Everything that signs the image at this path, whose `.ucert` holds the certificate: a signature that is there already
/// goes, a new one is made and put behind the certificate, and both at the end of the image.
pub(crate) fn commands_of(image: &str, key: &str) -> [SigningCommand; 4] {
    let (certificate, signature) = (format!("{image}.ucert"), format!("{image}.sig"));
    let (certificate, signature) = (certificate.as_str(), signature.as_str());
    let strip = command("fwtool", &["-t", "-s", "/dev/null", image]);
    [
        SigningCommand { may_find_nothing: true, ..strip },
        command("usign", &["-S", "-m", image, "-s", key, "-x", signature]),
        command("ucert", &["-A", "-c", certificate, "-x", signature]),
        command("fwtool", &["-S", certificate, image]),
    ]
}

fn command(program: &'static str, arguments: &[&str]) -> SigningCommand {
    let argv = [format!("{TOOLS}/{program}")].into_iter().chain(arguments.iter().map(ToString::to_string)).collect();
    SigningCommand { program, argv, may_find_nothing: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_signed_in_four_steps() {
        let commands = commands_of("/d/0", "/k");
        let lines: Vec<_> = commands.iter().map(|command| command.argv.join(" ").replace(TOOLS, "")).collect();
        assert_eq!(
            lines,
            [
                "/fwtool -t -s /dev/null /d/0",
                "/usign -S -m /d/0 -s /k -x /d/0.sig",
                "/ucert -A -c /d/0.ucert -x /d/0.sig",
                "/fwtool -S /d/0.ucert /d/0",
            ]
        );
        assert_eq!(commands.map(|command| command.may_find_nothing), [true, false, false, false]);
    }
}
