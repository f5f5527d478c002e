//! The address of a file that anybody may read.

use std::fmt::Write;

use crate::{bin_dir::BinDir, file_name::FileName};

/// `base` is the address of everything below the prefix. Whatever could mean something in a path is encoded; some
/// servers take a plus sign for a space.
pub(crate) fn public_url(base: &str, bin_dir: &BinDir, file: &FileName) -> String {
    let mut url = format!("{}/{bin_dir}/", base.trim_end_matches('/'));
    for byte in file.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            write!(url, "%{byte:02X}").expect("a string takes everything");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_means_anything_in_the_address() {
        let bin_dir = BinDir::new(&"0".repeat(64), "aaaaaaaaaaaa").unwrap();
        let file = FileName::parse("a+b~c@1=2,x_y-z.img.gz").unwrap();
        let url = public_url("https://cdn.example/asu/", &bin_dir, &file);
        assert_eq!(url, format!("https://cdn.example/asu/{bin_dir}/a%2Bb~c%401%3D2%2Cx_y-z.img.gz"));
    }
}
