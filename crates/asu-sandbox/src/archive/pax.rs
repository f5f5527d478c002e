//! Extension headers: long names, in the two formats there are.

use std::io::Read;

use tar::{Entry, Header, PaxExtensions};

use super::{
    error::{ArchiveError, GetError},
    name::{EntryName, LONGEST_PATH},
};

/// The longest extension header; Podman puts extended attributes into them.
const LONGEST_EXTENSION: u64 = 128 * 1024;

/// What the headers before an entry say about it.
#[derive(Default)]
pub(super) struct Extensions {
    gnu_name: Option<Vec<u8>>,
    pax: Option<Vec<u8>>,
}

impl Extensions {
    /// Takes the entry if it is an extension header, else gives it back.
    pub(super) fn take<'a, R: Read>(&mut self, mut entry: Entry<'a, R>) -> Result<Option<Entry<'a, R>>, GetError> {
        let kind = entry.header().entry_type();
        let (slot, longest) = if kind.is_gnu_longname() {
            (&mut self.gnu_name, LONGEST_PATH as u64 + 1)
        } else if kind.is_pax_local_extensions() {
            (&mut self.pax, LONGEST_EXTENSION)
        } else {
            return Ok(Some(entry));
        };
        let strange = || ArchiveError::StrangeHeaders(EntryName::new(&entry.path_bytes()));
        if slot.is_some() || entry.size() > longest {
            return Err(strange().into());
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(GetError::Broken)?;
        *slot = Some(bytes);
        Ok(None)
    }

    /// The name of the entry that the header belongs to.
    pub(super) fn name(&self, header: &Header) -> Result<Vec<u8>, ArchiveError> {
        let mut name = match &self.gnu_name {
            Some(long) => long.strip_suffix(b"\0").unwrap_or(long).to_vec(),
            None => header.path_bytes().into_owned(),
        };
        let strange = |name: &[u8]| ArchiveError::StrangeHeaders(EntryName::new(name));
        for record in PaxExtensions::new(self.pax.as_deref().unwrap_or_default()) {
            let record = record.map_err(|_| strange(&name))?;
            match record.key_bytes() {
                b"path" => name = record.value_bytes().to_vec(),
                // Readers that believe the one or the other would see different archives.
                b"size" if record.value_bytes() != header.entry_size().unwrap_or(0).to_string().as_bytes() => {
                    return Err(strange(&name));
                }
                key if key.starts_with(b"GNU.sparse.") => return Err(ArchiveError::Sparse(EntryName::new(&name))),
                _ => {}
            }
        }
        Ok(name)
    }
}
