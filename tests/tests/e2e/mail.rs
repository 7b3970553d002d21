//! Letters by real SMTP: what they bring is good once, for a while, and lost by nobody.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Database, MailServer, Reply, Server, on_each_database};

on_each_database!(
    who_signs_up_proves_their_address,
    a_new_password_by_letter,
    an_older_or_ended_link_is_good_for_nothing,
    a_letter_waits_for_its_server_and_for_ours,
    links_are_made_of_the_public_address_alone,
    an_address_changes_by_letter,
    eight_digits_sign_in,
    guesses_are_few_and_the_owner_is_not_locked_out,
    an_operator_tries_whether_letters_arrive,
    nothing_is_sent_in_clear_where_encryption_is_asked_for,
);

const ADA: &str = "ada@example.com";

async fn server(database: Database, mails: &MailServer, settings: &[(&str, &str)]) -> Server {
    let mut server = prepared(database, mails.address(), settings);
    server.run().await;
    server
}

fn prepared(database: Database, mails: std::net::SocketAddr, settings: &[(&str, &str)]) -> Server {
    let mails = MailServer::settings(mails);
    let mails: Vec<_> = mails.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::prepared(database, &[&mails[..], settings].concat())
}

async fn post(server: &Server, path: &str, body: Value) -> Reply {
    server.client().post(&format!("/api/v1/auth/{path}"), &body).await
}

async fn register(server: &Server, email: &str) -> Reply {
    post(server, "register", json!({ "email": email, "password": "correct horse", "name": "Ada" })).await
}

async fn login(server: &Server, password: &str) -> Reply {
    post(server, "login", json!({ "email": ADA, "password": password })).await
}

async fn who_signs_up_proves_their_address(database: Database) {
    let mails = MailServer::start();
    let server = server(database, &mails, &[("SOUK__IDENTITY__EMAIL_VERIFICATION", "required")]).await;
    let first = register(&server, ADA).await.expect(202);
    let letter = mails.nth_to(ADA, 1).await;
    assert_eq!(letter.header("Subject"), "Is this your address?");
    assert_eq!(letter.header("From"), "Souk <souk@localhost>");
    assert!(letter.html().contains(&letter.token()), "{}", letter.html());
    login(&server, "correct horse").await.error(403, "FORBIDDEN");

    // Whether the address was free is told to its owner alone (ruling R36).
    let again = register(&server, "ADA@example.com").await.expect(202);
    assert_eq!((again.json(), again.header("location")), (first.json(), first.header("location")));
    let told = mails.nth_to(ADA, 2).await;
    assert_eq!(told.header("Subject"), "You have an account already");

    let token = json!({ "token": letter.token() });
    post(&server, "email-verification/confirm", token.clone()).await.expect(200);
    post(&server, "email-verification/confirm", token).await.error(422, "UNPROCESSABLE");
    let signed = login(&server, "correct horse").await.expect(200).json();
    assert_eq!(signed["user"]["emailVerified"], true);
    let log = server.log();
    assert!(!log.contains(&letter.token()) && !log.contains("correct horse"), "a secret is in the log");
}

async fn a_new_password_by_letter(database: Database) {
    let mails = MailServer::start();
    let server = server(database, &mails, &[]).await;
    register(&server, ADA).await.expect(201);
    let known = post(&server, "password-reset", json!({ "email": ADA })).await.expect(202);
    let unknown = post(&server, "password-reset", json!({ "email": "nobody@example.com" })).await.expect(202);
    assert_eq!(known.json(), unknown.json());
    let token = mails.nth_to(ADA, 1).await.token();
    let reset = |password: &str| json!({ "token": token, "password": password });
    let refused = post(&server, "password-reset/confirm", reset("password123")).await;
    refused.error(400, "VALIDATION_ERROR");
    assert!(refused.names("/password") && refused.names("common"), "{}", refused.text());
    post(&server, "password-reset/confirm", reset("a new one of mine")).await.expect(200);
    login(&server, "correct horse").await.error(401, "UNAUTHORIZED");
    login(&server, "a new one of mine").await.expect(200);
    post(&server, "password-reset/confirm", reset("another one of mine")).await.error(422, "UNPROCESSABLE");
    login(&server, "a new one of mine").await.expect(200);
    assert_eq!(mails.nth_to(ADA, 2).await.header("Subject"), "Your password was changed");
    assert_eq!(mails.letters_to("nobody@example.com").len(), 0);
    // The token is nowhere in the database, and the address lies in no job.
    server.settled().await;
    let tables = server.tables();
    assert_eq!(tables.number("SELECT count(*) FROM action_codes"), 0);
    assert_eq!(
        tables
            .number("SELECT count(*) FROM jobs WHERE kind = 'send_letter' AND cast(payload AS text) LIKE '%example%'"),
        0
    );
    assert!(tables.number("SELECT count(*) FROM jobs WHERE kind = 'send_letter'") >= 3);
}

async fn an_older_or_ended_link_is_good_for_nothing(database: Database) {
    let mails = MailServer::start();
    let server = server(database, &mails, &[]).await;
    register(&server, ADA).await.expect(201);
    let mut tokens = Vec::new();
    for n in 1..=3 {
        post(&server, "password-reset", json!({ "email": ADA })).await.expect(202);
        tokens.push(mails.nth_to(ADA, n).await.token());
    }
    let confirm = async |token: &str| {
        post(&server, "password-reset/confirm", json!({ "token": token, "password": "a new one of mine" })).await
    };
    confirm(&tokens[0]).await.error(422, "UNPROCESSABLE");
    confirm(&tokens[1]).await.error(422, "UNPROCESSABLE");
    // Its half hour is over.
    server.tables().run("UPDATE action_codes SET expires_at = '2020-01-01 00:00:00+00:00'");
    confirm(&tokens[2]).await.error(422, "UNPROCESSABLE");
    confirm(&"0".repeat(64)).await.error(422, "UNPROCESSABLE");
    login(&server, "correct horse").await.expect(200);
}

async fn a_letter_waits_for_its_server_and_for_ours(database: Database) {
    let away = MailServer::away();
    let mut server = prepared(database, away, &[]);
    server.run().await;
    register(&server, ADA).await.expect(201);
    post(&server, "password-reset", json!({ "email": ADA })).await.expect(202);
    let until = Instant::now() + Duration::from_mins(1);
    while !server.log().contains("the mail server is away or broke off") {
        assert!(Instant::now() < until, "no attempt was made:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill();
    let mails = MailServer::start_at(&away.to_string());
    server.run().await;
    let token = mails.nth_to(ADA, 1).await.token();
    post(&server, "password-reset/confirm", json!({ "token": token, "password": "a new one of mine" }))
        .await
        .expect(200);
    login(&server, "a new one of mine").await.expect(200);
}

async fn links_are_made_of_the_public_address_alone(database: Database) {
    let mails = MailServer::start();
    let settings =
        [("PUBLIC_URL", "https://shop.example"), ("SOUK__PUBLIC__REDIRECT_URLS", "https://app.example/account")];
    let server = server(database, &mails, &settings).await;
    register(&server, ADA).await.expect(201);
    let client = server.client();
    let forged = client
        .request("POST", "/api/v1/auth/password-reset")
        .header("Host", "evil.example")
        .header("X-Forwarded-Host", "evil.example")
        .header("Forwarded", "host=evil.example;proto=http")
        .header("Origin", "https://evil.example")
        .json(&json!({ "email": ADA }));
    client.send(forged).await.expect(202);
    let letter = mails.nth_to(ADA, 1).await;
    assert!(letter.link().starts_with("https://shop.example/account/reset-password#token="), "{}", letter.link());
    assert!(!letter.raw.contains("evil"), "{}", letter.raw);
    for wanted in [
        "https://evil.example",
        "https://app.example/accounts",
        "https://app.example@evil.example",
        "javascript:alert(1)",
    ] {
        let refused = post(&server, "password-reset", json!({ "email": ADA, "redirectUrl": wanted })).await;
        refused.error(400, "VALIDATION_ERROR");
        assert!(refused.names("/redirectUrl"), "{wanted}: {}", refused.text());
    }
    let wanted = json!({ "email": ADA, "redirectUrl": "https://app.example/account/new?lang=de" });
    post(&server, "password-reset", wanted).await.expect(202);
    let link = mails.nth_to(ADA, 2).await.link();
    assert!(link.starts_with("https://app.example/account/new?lang=de&token="), "{link}");
}

async fn an_address_changes_by_letter(database: Database) {
    let mails = MailServer::start();
    let server = server(database, &mails, &[]).await;
    register(&server, ADA).await.expect(201);
    register(&server, "bob@example.com").await.expect(201);
    let ada = server.client().sign_in(ADA, "correct horse").await;
    let change = async |email: &str, password: &str| {
        ada.post("/api/v1/auth/email-change", &json!({ "email": email, "currentPassword": password })).await
    };
    change("new@example.com", "wrong").await.error(403, "FORBIDDEN");
    // Somebody else's address is told to them alone.
    let others = change("bob@example.com", "correct horse").await.expect(202);
    assert_eq!(mails.nth_to("bob@example.com", 1).await.header("Subject"), "You have an account already");
    let free = change("new@example.com", "correct horse").await.expect(202);
    assert_eq!(others.json(), free.json());
    let token = mails.nth_to("new@example.com", 1).await.token();
    post(&server, "email-change/confirm", json!({ "token": token })).await.expect(200);
    post(&server, "email-change/confirm", json!({ "token": token })).await.error(422, "UNPROCESSABLE");
    assert_eq!(mails.nth_to(ADA, 1).await.header("Subject"), "Your address was changed");
    login(&server, "correct horse").await.error(401, "UNAUTHORIZED");
    let me = server
        .client()
        .sign_in("new@example.com", "correct horse")
        .await
        .get("/api/v1/users/me")
        .await
        .expect(200)
        .json();
    assert_eq!((&me["email"], &me["emailVerified"]), (&json!("new@example.com"), &json!(true)));
}

async fn eight_digits_sign_in(database: Database) {
    let mails = MailServer::start();
    let server = server(database, &mails, &[]).await;
    register(&server, ADA).await.expect(201);
    let known = post(&server, "sign-in-code", json!({ "email": ADA })).await.expect(202);
    let unknown = post(&server, "sign-in-code", json!({ "email": "nobody@example.com" })).await.expect(202);
    assert_eq!(known.json(), unknown.json());
    let text = mails.nth_to(ADA, 1).await.text();
    let code = text
        .lines()
        .find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit()))
        .expect("a code")
        .to_owned();
    let with = async |email: &str, code: &str| {
        post(&server, "sign-in-code/login", json!({ "email": email, "code": code })).await
    };
    let wrong = format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000);
    let refused = with(ADA, &wrong).await.error(401, "UNAUTHORIZED");
    assert_eq!(with("nobody@example.com", &code).await.error(401, "UNAUTHORIZED")["message"], refused["message"]);
    let signed = with(ADA, &code).await.expect(200);
    assert_eq!(signed.header("cache-control"), "no-store");
    let me = server
        .client()
        .with_token(signed.json()["token"].as_str().unwrap())
        .get("/api/v1/users/me")
        .await
        .expect(200)
        .json();
    assert_eq!(me["emailVerified"], true);
    with(ADA, &code).await.error(401, "UNAUTHORIZED");
    with(ADA, "1234567").await.error(400, "VALIDATION_ERROR");
    // Five tries end a code, also for who has it.
    post(&server, "sign-in-code", json!({ "email": ADA })).await.expect(202);
    let text = mails.nth_to(ADA, 2).await.text();
    let code =
        text.lines().find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit())).unwrap().to_owned();
    let wrong = format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000);
    for _ in 0..5 {
        with(ADA, &wrong).await.error(401, "UNAUTHORIZED");
    }
    with(ADA, &code).await.error(401, "UNAUTHORIZED");
}

async fn guesses_are_few_and_the_owner_is_not_locked_out(database: Database) {
    let mails = MailServer::start();
    let settings = [
        ("SOUK__LIMITS__ACCOUNT_TRIES", "4/900"),
        ("SOUK__LIMITS__ACCOUNT_STRANGERS", "6/3600"),
        ("SOUK__LIMITS__ACCOUNT_LETTERS", "2/900"),
        ("SOUK__HTTP__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let server = server(database, &mails, &settings).await;
    register(&server, ADA).await.expect(201);
    let client = server.client();
    let from = async |address: &str, email: &str, password: &str| {
        let request = client.request("POST", "/api/v1/auth/login").header("X-Forwarded-For", address);
        client.send(request.json(&json!({ "email": email, "password": password }))).await
    };
    from("203.0.113.1", ADA, "correct horse").await.expect(200);
    for guesser in ["203.0.113.2", "203.0.113.3"] {
        for _ in 0..2 {
            from(guesser, ADA, "wrong").await.error(401, "UNAUTHORIZED");
        }
    }
    for _ in 0..1 {
        from("203.0.113.4", ADA, "wrong").await.error(401, "UNAUTHORIZED");
    }
    // Six from strange places, the owner's first among them: a seventh is refused, be it right, and says when to come back.
    let refused = from("203.0.113.5", ADA, "correct horse").await;
    refused.error(429, "RATE_LIMITED");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0, "{:?}", refused.headers);
    // The owner comes from where they were before.
    from("203.0.113.1", ADA, "correct horse").await.expect(200);
    // From one place few tries are made at one account, at one that there is not as well.
    for _ in 0..4 {
        from("203.0.113.6", "nobody@example.com", "wrong").await.error(401, "UNAUTHORIZED");
    }
    from("203.0.113.6", "nobody@example.com", "wrong").await.error(429, "RATE_LIMITED");
    from("203.0.113.6", "bob@example.com", "wrong").await.error(401, "UNAUTHORIZED");
    for email in [ADA, "nobody@example.com"] {
        for _ in 0..2 {
            post(&server, "password-reset", json!({ "email": email })).await.expect(202);
        }
        post(&server, "password-reset", json!({ "email": email })).await.error(429, "RATE_LIMITED");
    }
}

async fn an_operator_tries_whether_letters_arrive(database: Database) {
    let mails = MailServer::start();
    let server = server(
        database,
        &mails,
        &[("SOUK__MAIL__FROM", "Lamps & Co <lamps@example.com>"), ("SOUK__MAIL__SHOP", "Lamps & Co")],
    )
    .await;
    let (status, printed) = server.run_command(&["mail", "test", "--to", "op@example.com"]);
    assert!(status.success() && printed == "sent\n", "{printed}{}", server.log());
    let letter = mails.nth_to("op@example.com", 1).await;
    assert!(letter.text().contains("Lamps & Co") && letter.html().contains("Lamps &amp; Co"), "{}", letter.raw);
    assert!(letter.header("From").contains("lamps@example.com"), "{}", letter.raw);
    assert!(letter.header("Message-ID").ends_with("@example.com>"), "{}", letter.raw);
    assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
    let (status, _) = server.run_command(&["mail", "test", "--to", "nobody"]);
    assert!(!status.success());
}

async fn nothing_is_sent_in_clear_where_encryption_is_asked_for(database: Database) {
    let mails = MailServer::start();
    let server = server(database, &mails, &[("SOUK__MAIL__SMTP_SECURITY", "starttls")]).await;
    let (status, _) = server.run_command(&["mail", "test", "--to", "op@example.com"]);
    assert!(!status.success() && server.log().contains("mail.smtp_security"), "{}", server.log());
    assert_eq!(mails.letters_to("op@example.com").len(), 0);
}
