//! Mails against a server that refuses, and into a folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "all of this is tests")]

mod clock;

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::{Arc, mpsc},
    time::Duration,
};

use clock::Running;
use domain::{
    identity::Email,
    job::Failure,
    mail::{Mail, Mailer, Subject},
    testing::{FakeClock, SeededEntropy},
};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};
use souk_integrations::{
    mail::{FileMailer, Sender, SmtpMailer, SmtpSecurity, SmtpSettings},
    resilience::{Dependency, Kind},
};
use uuid::Uuid;

fn sender() -> Sender {
    Sender::new("Lamps & Co <lamps@example.com>", Arc::new(FakeClock::default())).unwrap()
}

fn server() -> Dependency {
    Dependency::new("mail", Kind::Mail.usual(), Arc::new(Running), Arc::new(SeededEntropy::new(7)))
}

fn mail(to: &str) -> Mail {
    Mail {
        id: Uuid::from_u128(7),
        to: Email::stored(to.to_owned()),
        about: Subject::ResetPassword,
        subject: "Choose\r\nBcc: evil@example.com".to_owned(),
        text: "https://shop.example/#token=s3cret".to_owned(),
        html: "<p>s3cret</p>".to_owned(),
    }
}

/// Answers `RCPT` with this line and everything else well; a server that says nothing answers nothing.
fn answering(rcpt: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Who breaks off has said nothing.
            let _ = talk(&stream, rcpt);
        }
    });
    address
}

fn talk(mut stream: &TcpStream, rcpt: &str) -> std::io::Result<()> {
    if rcpt.is_empty() {
        return BufReader::new(stream).lines().try_for_each(|line| line.map(|_| ()));
    }
    write!(stream, "220 ready\r\n")?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_uppercase();
        let answer = if line.starts_with("RCPT") { rcpt } else { "250 ok" };
        write!(stream, "{answer}\r\n")?;
    }
    Ok(())
}

async fn sent(to: SocketAddr) -> Result<(), Failure> {
    let settings = SmtpSettings {
        host: to.ip().to_string(),
        port: to.port(),
        security: SmtpSecurity::None,
        username: String::new(),
        password: String::new(),
        timeout: Duration::from_millis(300),
        extra_roots: Vec::new(),
    };
    SmtpMailer::new(&settings, sender(), server()).unwrap().send(&mail("ada@example.com")).await
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again_and_everything_else_is() {
    let gone = sent(answering("550 5.1.1 <ada@example.com>: nobody here")).await.unwrap_err();
    assert!(matches!(gone, Failure::GiveUp(_)), "{gone:?}");
    let gone_at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, said) in [
        (answering("451 4.3.0 <ada@example.com>: later"), "451"),
        (answering("530 5.7.0 who are you"), "530"),
        (answering(""), "too long"),
        (gone_at, "away"),
    ] {
        let passing = sent(address).await.unwrap_err();
        assert!(matches!(passing, Failure::Retry(_)) && passing.reason().contains(said), "{said}: {passing:?}");
        assert!(
            !passing.reason().contains("ada@") && !gone.reason().contains("ada@"),
            "no address is told: {passing:?}"
        );
    }
}

/// A server with a certificate that it signed itself.
struct Encrypted {
    address: SocketAddr,
    /// The certificate in PEM.
    certificate: Vec<u8>,
    /// The lines of each mail.
    mails: mpsc::Receiver<Vec<String>>,
}

impl Encrypted {
    /// Encrypts from the first byte on, or from `STARTTLS` on; or has never heard of that.
    fn new(security: SmtpSecurity) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let chain = vec![made.cert.der().clone()];
        let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (takes, mails) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who breaks off has sent nothing.
                let _ = encrypted(stream, security, &config, &takes);
            }
        });
        Self { address, certificate: made.cert.pem().into_bytes(), mails }
    }

    async fn sent(&self, security: SmtpSecurity, extra_roots: &[u8]) -> Result<(), Failure> {
        let settings = SmtpSettings {
            host: self.address.ip().to_string(),
            port: self.address.port(),
            security,
            username: "lamps".to_owned(),
            password: "s3cret word".to_owned(),
            timeout: Duration::from_secs(5),
            extra_roots: extra_roots.to_vec(),
        };
        SmtpMailer::new(&settings, sender(), server()).unwrap().send(&mail("ada@example.com")).await
    }
}

fn encrypted(
    mut plain: TcpStream,
    security: SmtpSecurity,
    config: &Arc<ServerConfig>,
    takes: &mpsc::Sender<Vec<String>>,
) -> std::io::Result<()> {
    if security != SmtpSecurity::Tls {
        let offer = if security == SmtpSecurity::StartTls { "250-here\r\n250 STARTTLS" } else { "250 here" };
        write!(plain, "220 ready\r\n")?;
        let mut lines = BufReader::new(plain.try_clone()?).lines();
        loop {
            let line = lines.next().unwrap_or_else(|| Err(std::io::ErrorKind::UnexpectedEof.into()))?;
            if line == "STARTTLS" {
                break write!(plain, "220 go on\r\n")?;
            }
            assert!(line.starts_with("EHLO") || line == "QUIT", "said in the clear: {line}");
            write!(plain, "{offer}\r\n")?;
        }
    }
    let session = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(session, plain));
    if security == SmtpSecurity::Tls {
        write!(stream.get_mut(), "220 ready\r\n")?;
    }
    let (mut mail, mut within) = (Vec::new(), false);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        if within && line != "." {
            mail.push(line.to_owned());
            continue;
        }
        let answer = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => "250-here\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if within {
            takes.send(std::mem::take(&mut mail)).map_err(std::io::Error::other)?;
        }
        within = line == "DATA";
        write!(stream.get_mut(), "{answer}\r\n")?;
    }
}

#[tokio::test]
async fn a_mail_goes_encrypted_to_a_server_that_is_trusted() {
    for security in [SmtpSecurity::Tls, SmtpSecurity::StartTls] {
        let server = Encrypted::new(security);
        let refused = server.sent(security, &[]).await.unwrap_err();
        assert!(matches!(refused, Failure::Retry(_)), "nobody vouches for it: {refused:?}");
        server.sent(security, &server.certificate).await.unwrap();
        let mail = server.mails.recv().unwrap();
        assert!(mail.iter().any(|line| line == "To: ada@example.com"), "{mail:?}");
        assert!(server.mails.try_recv().is_err(), "it came once");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_does_not_encrypt() {
    let server = Encrypted::new(SmtpSecurity::None);
    let refused = server.sent(SmtpSecurity::StartTls, &server.certificate).await.unwrap_err();
    assert!(matches!(refused, Failure::Retry(_)), "{refused:?}");
    assert!(server.mails.try_recv().is_err());
}

#[tokio::test]
async fn a_file_is_its_owners_and_holds_one_mail() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = FileMailer::new(folder.path().join("deep/mail"), sender());
    // Sent again it is the same file.
    for _ in 0..2 {
        mailer.send(&mail("ada@example.com")).await.unwrap();
    }
    let files: Vec<_> =
        std::fs::read_dir(folder.path().join("deep/mail")).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert!(file.to_str().unwrap().ends_with("-reset_password.eml"), "{file:?}");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap();
    assert!(head.contains("To: ada@example.com") && head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(head.contains("Message-ID: <00000000-0000-0000-0000-000000000007@example.com>"), "{head}");
    assert!(!head.contains("\r\nBcc:"), "a subject adds no header: {head}");
    assert!(text.contains("s3cret"));
}

#[tokio::test]
async fn an_address_that_no_mail_has_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let failed = FileMailer::new(folder.path().to_owned(), sender()).send(&mail("no address")).await.unwrap_err();
    assert!(matches!(&failed, Failure::GiveUp(reason) if !reason.contains("no address")), "{failed:?}");
}
