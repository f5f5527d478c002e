//! Text of an ImageBuilder, made harmless: it may be shown in a terminal, and it cannot leave its place in a stream.

/// Leaves out control characters and terminal sequences, and what would turn the direction of the text. Every end of a
/// line becomes a newline.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => printable.push(c),
            '\r' => {
                chars.next_if_eq(&'\n');
                printable.push('\n');
            }
            // A sequence as for colours: parameters, and one letter that ends it.
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
                chars.next_if(|c| ('@'..='~').contains(c));
            }
            _ if c.is_control() || turns_text(c) => {}
            _ => printable.push(c),
        }
    }
    printable
}

fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_left() {
        for (text, expected) in [
            ("plain \u{20ac}\ttext\n", "plain \u{20ac}\ttext\n"),
            ("a\r\nb\rc\r", "a\nb\nc\n"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x\u{1b}", "]0;titlex"),
            ("a\0b\u{8}c\u{7f}d\u{9b}e", "abcde"),
            ("\u{202e}txt\u{2066}", "txt"),
            ("\u{1b}[\nline", "\nline"),
            ("\u{fffd}", "\u{fffd}"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }
}
