//! Drives my-store for Faultline. Put your store's calls into the five functions, and nothing else.
//!
//!     rustc -O -o driver driver.rs
//!
//! As it stands it drives an example: a file for each key, which each change replaces. It passes.
mod faultline_driver;
use faultline_driver::{drive, Failure, Options};
use std::{fs, fs::File, io::ErrorKind, io::Write};

struct Store {
    directory: String, // the example's own
}

impl Store {
    fn path(&self, key: &[u8]) -> String { format!("{}/{}", self.directory, String::from_utf8_lossy(key)) }

    // A name is durable after a sync of its directory.
    fn sync_directory(&self) -> Result<(), Failure> { Ok(File::open(&self.directory)?.sync_all()?) }
}

impl faultline_driver::Store for Store {
    /// The directory is empty, or holds what a crash left.
    fn open(directory: &str) -> Result<Store, Failure> { Ok(Store { directory: directory.to_string() }) }

    /// The write is durable when this returns: include the call that syncs.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        let new = self.path(b"new");
        let mut file = File::create(&new)?;
        file.write_all(value)?;
        file.sync_all()?;
        fs::rename(&new, self.path(key))?;
        self.sync_directory()
    }

    /// The same. The key may be absent.
    fn delete(&mut self, key: &[u8]) -> Result<(), Failure> {
        match fs::remove_file(self.path(key)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => self.sync_directory(),
        }
    }

    /// Calls `entry` for every key with its value.
    fn dump(&mut self, entry: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Failure> {
        for file in fs::read_dir(&self.directory)? {
            let name = file?.file_name().into_encoded_bytes();
            if name != b"new" { entry(&name, &fs::read(self.path(&name))?) }
        }
        Ok(())
    }

    /// Frees the store's locks: the next recovery may begin at once.
    fn close(self) -> Result<(), Failure> { Ok(()) }
}

fn main() { drive::<Store>(Options::default()) }
