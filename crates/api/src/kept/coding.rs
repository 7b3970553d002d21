//! Compression of what is kept: once for all who read it.

use std::io::Write as _;

use actix_web::{
    HttpRequest,
    http::header::{self, AcceptEncoding, Encoding, Header as _},
};
use domain::{Error, Result};

/// Of 11. What is read often is worth more time than the layer around takes for what is read once.
const BROTLI_QUALITY: u32 = 5;
/// The window, as a power of two: 64 KiB hold most answers.
const BROTLI_WINDOW: u32 = 16;

/// How an answer is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Brotli,
}

impl Coding {
    /// The one that a reader likes best of ours.
    pub(super) fn of(request: &HttpRequest) -> Self {
        if !request.headers().contains_key(header::ACCEPT_ENCODING) {
            return Self::Identity;
        }
        let ours = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
        let Ok(accepted) = AcceptEncoding::parse(request) else { return Self::Identity };
        match accepted.negotiate(ours.iter()) {
            Some(coding) if coding == Encoding::brotli() => Self::Brotli,
            Some(coding) if coding == Encoding::gzip() => Self::Gzip,
            _ => Self::Identity,
        }
    }

    /// Its name in keys.
    pub(super) fn name(self) -> &'static str {
        self.token().unwrap_or("identity")
    }

    /// Its token in `Content-Encoding`; none for what is as it is.
    pub(super) fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// The bytes, coded.
    ///
    /// # Errors
    /// [`Error::Internal`] when the coder fails, which it has no reason to.
    pub(super) fn encode(self, bytes: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(bytes.to_vec()),
            Self::Gzip => {
                let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                coder.write_all(bytes).and_then(|()| coder.finish()).map_err(Error::internal)
            }
            Self::Brotli => {
                let mut coder = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
                coder.write_all(bytes).and_then(|()| coder.flush()).map_err(Error::internal)?;
                Ok(coder.into_inner())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn what_is_coded_reads_back() {
        let bytes = "Brass lamp, ".repeat(500).into_bytes();
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&*Coding::Gzip.encode(&bytes).unwrap()).read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        let coded = Coding::Brotli.encode(&bytes).unwrap();
        assert!(coded.len() < bytes.len() / 10);
        read.clear();
        brotli::Decompressor::new(&*coded, 4096).read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    #[test]
    fn the_reader_decides() {
        for (accepted, coding) in [
            ("br, gzip", Coding::Brotli),
            ("gzip, deflate", Coding::Gzip),
            ("gzip, br;q=0.5", Coding::Gzip),
            ("identity", Coding::Identity),
            ("zstd", Coding::Identity),
            ("gzip;q=0, br", Coding::Brotli),
            (";;", Coding::Identity),
        ] {
            let request = TestRequest::default().insert_header((header::ACCEPT_ENCODING, accepted)).to_http_request();
            assert_eq!(Coding::of(&request), coding, "{accepted:?}");
        }
    }
}
