//! Mails against a server that refuses, and into a folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "all of this is tests")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::Arc,
    time::Duration,
};

use domain::{
    identity::Email,
    job::Failure,
    mail::{Mail, Mailer, Subject},
    testing::FakeClock,
};
use souk_integrations::mail::{FileMailer, Sender, SmtpMailer, SmtpSecurity, SmtpSettings};
use uuid::Uuid;

fn sender() -> Sender {
    Sender::new("Lamps & Co <lamps@example.com>", Arc::new(FakeClock::default())).unwrap()
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
    SmtpMailer::new(&settings, sender()).unwrap().send(&mail("ada@example.com")).await
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
