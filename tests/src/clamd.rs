//! A daemon of `ClamAV` for tests, with one signature: that of harmless bytes which it takes for malware.

use std::{
    fmt::Write as _,
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::port::free_port;

/// Bytes that the daemon takes for malware.
pub const MALWARE: &[u8] = b"these bytes stand for malware in the tests of Souk";

/// How long the daemon may take to start.
const START: Duration = Duration::from_mins(1);

/// A daemon that is there as long as this value.
#[derive(Debug)]
pub struct Clamd {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Clamd {
    /// Starts one that looks at streams of at most so many MiB.
    ///
    /// # Panics
    /// Without `ClamAV`: a test is never skipped in silence.
    pub fn start(most: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut hexadecimal = String::new();
        for byte in MALWARE {
            write!(hexadecimal, "{byte:02x}").unwrap();
        }
        fs::write(folder.path().join("souk.ndb"), format!("Souk.Test:0:*:{hexadecimal}\n")).unwrap();
        let configuration = format!(
            "Foreground yes\nTCPSocket {port}\nTCPAddr 127.0.0.1\nDatabaseDirectory {}\nStreamMaxLength {most}M\n\
             TemporaryDirectory {}\nLogFile {}/clamd.log\n",
            folder.path().display(),
            folder.path().display(),
            folder.path().display(),
        );
        let file = folder.path().join("clamd.conf");
        fs::write(&file, configuration).unwrap();
        let child = Command::new("clamd")
            .arg("--config-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs clamd of ClamAV: run scripts/test, which installs it");
        let mut clamd = Self { child, port, _folder: folder };
        let end = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(clamd.child.try_wait().unwrap().is_none() && Instant::now() < end, "clamd did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        clamd
    }

    /// What the setting `blobs.scanner` is for it.
    pub fn address(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.kill();
    }
}
