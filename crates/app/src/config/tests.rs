//! Settings as values: no test touches the environment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use api::LimitScope;
use domain::inbound::Place;

use super::{Config, Layers, Profile, Secrets, Sources, all, layers::known_variables, print};

const KEY: &str = "gXq7vP2mZt9LbR4nWc8KdY3sHf6JuT5e";

fn layers(file: &str, variables: &[(&str, &str)]) -> Layers {
    let file = (!file.is_empty()).then(|| ("souk.toml".to_owned(), file.to_owned()));
    let variables: BTreeMap<_, _> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Layers::new(&Sources { file, variables })
}

fn read(file: &str, variables: &[(&str, &str)]) -> Config {
    Config::read(&layers(file, variables)).unwrap()
}

fn faults(file: &str, variables: &[(&str, &str)]) -> String {
    Config::read(&layers(file, variables)).unwrap_err().to_string()
}

#[test]
fn without_any_setting_it_is_a_development_shop_on_this_machine() {
    let config = read("", &[]);
    assert_eq!(config.profile, Profile::Development);
    assert_eq!((config.http.host.to_string().as_str(), config.http.port), ("127.0.0.1", 3000));
    assert_eq!(config.database.settings.url, "sqlite:data/souk.db");
    assert_eq!(config.database.folder(), Some(std::path::Path::new("data")));
    assert!(config.database.migrate && config.shop.demo && config.http.swagger_ui && config.http.metrics);
    assert!(matches!(config.secrets, Secrets::File(_)));
    assert_eq!(config.limits.rules.len(), 16);
}

#[test]
fn a_production_shop_does_nothing_by_itself() {
    let config = read("", &[("NODE_ENV", "production"), ("SOUK_SECRET_KEY", KEY)]);
    assert_eq!(config.profile, Profile::Production);
    assert_eq!(config.http.host.to_string(), "0.0.0.0");
    assert!(!config.database.migrate && !config.shop.demo && !config.http.swagger_ui && !config.http.metrics);
    assert!(matches!(config.secrets, Secrets::Key(_)));
    assert_eq!(config.database.settings.synchronous, persistence::Synchronous::Full);
}

#[test]
fn later_layers_win() {
    let file = "[http]\nport = 1\nhost = \"::1\"\nallowed_origins = [\"https://a.example\", \"https://b.example\"]";
    assert_eq!(read(file, &[]).http.port, 1);
    assert_eq!(read(file, &[]).http.allowed_origins, ["https://a.example", "https://b.example"]);
    assert_eq!(read(file, &[("PORT", "2")]).http.port, 2);
    assert_eq!(read(file, &[("PORT", "2"), ("SOUK__HTTP__PORT", "3")]).http.port, 3);
    assert_eq!(read(file, &[("PORT", "")]).http.port, 1);
    assert_eq!(read(file, &[("PORT", "2")]).http.host.to_string(), "::1");
}

#[test]
fn the_profile_may_be_chosen_in_every_layer() {
    let key = ("SOUK_SECRET_KEY", KEY);
    assert_eq!(read("profile = \"production\"", &[key]).profile, Profile::Production);
    assert_eq!(read("", &[("SOUK__PROFILE", "production"), key]).profile, Profile::Production);
    assert_eq!(read("", &[("NODE_ENV", "test")]).profile, Profile::Development);
    assert!(faults("", &[("SOUK__PROFILE", "prod")]).contains("must be development or production"));
}

#[test]
fn production_tells_every_fault_in_one_report() {
    let report = faults(
        "[http]\nprot = 1",
        &[
            ("NODE_ENV", "production"),
            ("SOUK_SECRET_KEY", "short"),
            ("ALLOWED_ORIGINS", "https://a.example,*"),
            ("DATABASE_URL", "postgres://souk:pw@db.example/souk"),
            ("SOUK__SHOP__CURRENCY", "EURO"),
            ("SOUK__HTTP__BODYLIMIT_BYTES", "1"),
            ("LOG_LEVEL", "loud"),
            ("PORT", "70000"),
        ],
    );
    for part in [
        "8 faults",
        "http.prot in souk.toml: is unknown; did you mean http.port?",
        "$SOUK__HTTP__BODYLIMIT_BYTES: is unknown; did you mean SOUK__HTTP__BODY_LIMIT_BYTES?",
        "secrets.key ($SOUK_SECRET_KEY): must have at least 32 bytes",
        "http.allowed_origins ($ALLOWED_ORIGINS): a wildcard cannot be combined with credentials",
        "database.url ($DATABASE_URL): must ask for encryption in production",
        "shop.currency ($SOUK__SHOP__CURRENCY)",
        "telemetry.level ($LOG_LEVEL)",
        "http.port ($PORT): must be a number from 0 to 65535",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    assert!(!report.contains("pw"), "{report}");
}

#[test]
fn a_schedule_that_never_comes_to_pass_is_a_fault_of_its_setting() {
    let report = faults(
        "[schedule]\npurge = \"0 0 30 2 *\"",
        &[
            ("SOUK__SCHEDULE__PURGE_JOBS", "often"),
            ("SOUK__SCHEDULE__PURGE_JOBS_CATCH_UP", "all(0)"),
            ("SOUK__SCHEDULE__REINDEX_ZONE", "Europe/Bielefeld"),
        ],
    );
    for part in [
        "4 faults",
        "schedule.purge (souk.toml): \"0 0 30 2 *\" never comes to pass",
        "schedule.purge_jobs ($SOUK__SCHEDULE__PURGE_JOBS): \"often\" must have five fields",
        "schedule.purge_jobs_catch_up ($SOUK__SCHEDULE__PURGE_JOBS_CATCH_UP): must be skip, once, or all(N)",
        "schedule.reindex_zone ($SOUK__SCHEDULE__REINDEX_ZONE): \"Europe/Bielefeld\" is no time zone",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    let schedule =
        read("[schedule]\npurge = \"off\"\nreindex = \"@daily\"\nreindex_zone = \"Asia/Tokyo\"", &[]).schedule;
    assert_eq!(schedule.purge.cron, None);
    assert_eq!(schedule.reindex.cron.map(|cron| cron.to_string()).as_deref(), Some("@daily Asia/Tokyo"));
}

/// Variables beside the profile, and the setting at fault.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str);

#[test]
fn production_refuses_to_start_unsafe() {
    let production = ("NODE_ENV", "production");
    let key = ("SOUK_SECRET_KEY", KEY);
    let long = "a".repeat(64);
    let cases: &[Case<'_>] = &[
        (&[], "secrets.key"),
        (&[("SOUK__SECRETS__FILE", "data/secret.key")], "secrets.key"),
        (&[("SOUK_SECRET_KEY", "change-me-change-me-change-me-change-me")], "secrets.key"),
        (&[("SOUK_SECRET_KEY", &long)], "secrets.key"),
        (&[key, ("SOUK__DATABASE__SYNCHRONOUS", "normal")], "database.synchronous"),
        (&[key, ("SOUK__SHOP__DEMO", "true")], "shop.demo"),
        (&[key, ("SOUK__IDENTITY__ARGON2_MEMORY_KIB", "64")], "identity.argon2_memory_kib"),
        (&[key, ("DATABASE_URL", "postgres://a:b@db.example/souk?sslmode=prefer")], "database.url"),
    ];
    for (variables, name) in cases {
        let variables: Vec<_> = variables.iter().copied().chain([production]).collect();
        let faults = Config::read(&layers("", &variables)).unwrap_err();
        assert_eq!(faults.names().len(), 1, "{faults}");
        assert!(faults.names()[0].starts_with(name), "{faults}");
    }
    let safe = "postgres://a:b@db.example/souk?sslmode=require";
    for url in [safe, "postgres://a:b@127.0.0.1/souk", "postgres://a@localhost/souk", "sqlite:/var/lib/souk.db"] {
        read("", &[production, key, ("DATABASE_URL", url)]);
    }
}

#[test]
fn files_hold_no_secret() {
    assert!(faults(&format!("[secrets]\nkey = \"{KEY}\""), &[]).contains("set SOUK_SECRET_KEY"));
    assert!(faults("[database]\npassword = \"x\"", &[]).contains("set DB_PASSWORD"));
    assert!(faults("[database]\nurl = \"postgres://a:b@h/n\"", &[]).contains("set DATABASE_URL"));
    assert_eq!(read("[database]\nurl = \"postgres://a@h/n\"", &[]).database.settings.url, "postgres://a@h/n");
}

#[test]
fn a_database_may_be_named_in_parts() {
    let parts = [("DB_HOST", "db.example"), ("DB_NAME", "shop"), ("DB_USER", "ada"), ("DB_PASSWORD", "p@ss/w")];
    let url = |parts: &[(&str, &str)]| read("", parts).database.settings.url;
    assert_eq!(url(&parts), "postgres://ada:p%40ss%2Fw@db.example:5432/shop?sslmode=require");
    assert_eq!(url(&[("DB_HOST", "localhost")]), "postgres://souk@localhost:5432/souk?sslmode=prefer");
    assert_eq!(url(&[("DB_HOST", "/run/pg")]), "postgres://souk@localhost:5432/souk?host=%2Frun%2Fpg");
    let both = [parts.as_slice(), &[("DATABASE_URL", "sqlite:x.db")]].concat();
    assert_eq!(url(&both), "sqlite:x.db");
}

#[test]
fn names_not_used_yet_are_warned_of() {
    let layers = layers("", &[("UPSTASH_REDIS_URL", "https://x"), ("LOGTAIL_TOKEN", "")]);
    assert_eq!(layers.warnings, ["UPSTASH_REDIS_URL is not used yet by this version"]);
    assert!(Config::read(&layers).is_ok());
}

#[test]
fn a_slip_in_a_name_is_a_fault_and_names_of_others_are_not() {
    assert!(faults("", &[("SOUK_SECRET_KEI", KEY)]).contains("did you mean SOUK_SECRET_KEY?"));
    assert!(faults("", &[("SOUK__NOTHING", "1")]).contains("$SOUK__NOTHING: is unknown"));
    read("", &[("SOUK_TEST_POSTGRES_URL", "x"), ("SOUK_BIN", "x"), ("PATH", "/bin")]);
}

#[test]
fn policies_may_be_changed_and_switched_off() {
    let limits = read("[limits]\nlist_products = \"5/1\"\ncreate_product = \"off\"", &[]).limits;
    assert_eq!(limits.rules.len(), 15);
    assert!(limits.rules.iter().any(|rule| &*rule.policy.name == "list_products" && rule.policy.limit == 5));
    assert!(faults("[limits]\nlist_products = \"0/1\"", &[]).contains("limits.list_products"));
}

#[test]
fn streams_and_sockets_have_places_of_their_own() {
    let config = read("[streams]\nmax_open = 9\nmax_per_user = 0\n[sockets]\nmax_per_address = 7", &[]);
    let places = |places: api::PlaceSettings| (places.most_open, places.most_of_user, places.most_of_address);
    assert_eq!(places(config.streams.places), (9, 0, 1_000));
    assert_eq!(places(config.sockets.door.places), (10_000, 50, 7));
    assert!(faults("[streams]\nmax_per_user = -1", &[]).contains("streams.max_per_user"));
}

#[test]
fn policies_of_the_shop_are_read_from_the_file_and_the_environment() {
    let file = "[limits.policies.search]\napplies_to = [\"list_products\", \"/api/v1/categories\"]\nlimit = 60\n\
        [limits.policies.writes]\napplies_to = \"create_product\"\nby = \"global\"\nlimit = 10\nwindow_seconds = 10\nmode = \"wait\"\nmax_wait_ms = 5000";
    let rules = read(file, &[]).limits.rules;
    let rule = |name: &str| rules.iter().find(|rule| &*rule.policy.name == name).unwrap();
    let search = rule("search");
    assert_eq!(search.applies_to, ["list_products", "/api/v1/categories"]);
    assert_eq!((search.scope, search.policy.limit), (LimitScope::Actor, 60));
    assert_eq!((search.policy.window, search.policy.patience), (Duration::from_mins(1), Duration::ZERO));
    let writes = rule("writes");
    assert_eq!((writes.scope, writes.policy.window), (LimitScope::Everybody, Duration::from_secs(10)));
    assert_eq!(writes.policy.patience, Duration::from_secs(5), "the time that ends first, of 5 s and of 10 calls");

    let limit = ("SOUK__LIMITS__POLICIES__SEARCH__LIMIT", "7");
    let by = ("SOUK__LIMITS__POLICIES__SEARCH__BY", "address");
    let few = [
        limit,
        by,
        ("SOUK__LIMITS__POLICIES__SEARCH__MODE", "wait"),
        ("SOUK__LIMITS__POLICIES__SEARCH__MAX_WAITING", "1"),
    ];
    let rules = read(file, &few).limits.rules;
    let search = rules.iter().find(|rule| &*rule.policy.name == "search").unwrap();
    assert_eq!((search.policy.limit, search.scope), (7, LimitScope::Address));
    assert_eq!(search.policy.patience, Duration::from_secs(1), "a minute's seventh part is longer than a second");
    let text = print(&layers(file, &[limit]));
    for line in [
        "limits.policies.search.limit = 7  # $SOUK__LIMITS__POLICIES__SEARCH__LIMIT",
        "limits.policies.search.mode = refuse  # default of development",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn faults_of_policies_are_told_by_their_names() {
    let file = |text: &str| format!("[limits.policies.search]\napplies_to = \"list_products\"\nlimit = 1\n{text}");
    for (text, told) in [
        (
            "limt = 2",
            "limits.policies.search.limt in souk.toml: is unknown; did you mean limits.policies.search.limit?",
        ),
        ("by = \"session\"", "limits.policies.search.by (souk.toml): must be one of address, actor, global, api_key"),
        ("window_seconds = 0", "limits.policies.search.window_seconds (souk.toml): must be a number from 1"),
        ("mode = \"queue\"", "limits.policies.search.mode (souk.toml): must be one of refuse, wait"),
        ("max_wait_ms = 60000", "limits.policies.search.max_wait_ms (souk.toml)"),
    ] {
        let report = faults(&file(text), &[]);
        assert!(report.contains("1 fault ") && report.contains(told), "{report}");
    }
    let own =
        |name: &str, applies_to: &str| format!("[limits.policies.{name}]\napplies_to = \"{applies_to}\"\nlimit = 1");
    assert!(faults(&own("search", "list_product"), &[]).contains("did you mean list_products?"));
    assert!(faults(&own("search", "/apis"), &[]).contains("is no operation and no path"));
    assert!(faults(&own("sign_in", "login"), &[]).contains("set limits.sign_in"));
    assert!(faults(&own("Search", "login"), &[]).contains("is unknown"));
    assert!(faults("[limits.policies.search]\nlimit = 1", &[]).contains("limits.policies.search.applies_to"));
    assert!(faults("", &[("SOUK__LIMITS__POLICIES__SEARCH__LIMT", "1")]).contains("is unknown"));
    read(&own("docs", "document"), &[("SOUK__HTTP__SWAGGER_UI", "false")]);
}

#[test]
fn redis_is_optional_and_must_be_safe() {
    assert_eq!(read("", &[]).redis.settings, None);
    let url = |url: &str| read("", &[("REDIS_URL", url)]).redis.settings.unwrap();
    assert_eq!(url("redis://:pw@10.0.0.1:7000/2").response_timeout, Duration::from_millis(250));
    assert_eq!(read("[redis]\nurl = \"rediss://h\"", &[]).redis.settings.unwrap().prefix, "souk:");
    assert!(faults("[redis]\nurl = \"redis://:pw@h\"", &[]).contains("set REDIS_URL instead"));
    let production = [("NODE_ENV", "production"), ("SOUK_SECRET_KEY", KEY)];
    let strict = |url: &str| Config::read(&layers("", &[&production[..], &[("REDIS_URL", url)]].concat()));
    assert!(strict("redis://10.0.0.1").unwrap_err().to_string().contains("rediss://"));
    assert!(strict("rediss://10.0.0.1").is_ok() && strict("redis://127.0.0.1:6379").is_ok());
    for bad in ["http://h", "redis://", "redis://h:port", "redis://h/number"] {
        let report = faults("", &[("REDIS_URL", bad)]);
        assert!(report.contains("redis.url ($REDIS_URL)"), "{bad}: {report}");
    }
    assert!(faults("", &[("SOUK__REDIS__PREFIX", "{souk}")]).contains("redis.prefix"));
    let text = print(&layers("", &[("REDIS_URL", "redis://:pw@h")]));
    assert!(text.contains("redis.url = redis://:(hidden)@h") && !text.contains("pw"), "{text}");
}

#[test]
fn notices_may_be_heard_elsewhere() {
    let pooled = ("DATABASE_URL", "postgres://a:b@pooler/souk");
    assert_eq!(read("", &[pooled]).database.listen_url, pooled.1);
    let direct = ("SOUK__DATABASE__LISTEN_URL", "postgres://a:b@server/souk");
    assert_eq!(read("", &[pooled, direct]).database.listen_url, direct.1);
    assert!(faults("", &[pooled, ("SOUK__DATABASE__LISTEN_URL", "server")]).contains("must begin with postgres://"));
    assert!(faults("[database]\nlisten_url = \"postgres://a:b@h/n\"", &[]).contains("must not stand in a file"));
}

#[test]
fn printing_shows_sources_and_hides_secrets() {
    let variables = [("SOUK_SECRET_KEY", KEY), ("DATABASE_URL", "postgres://ada:pw@h/n"), ("PORT", "1")];
    let text = print(&layers("[http]\nhost = \"::1\"", &variables));
    for line in [
        "http.port = 1  # $PORT",
        "http.host = ::1  # souk.toml",
        "secrets.key = (hidden)  # $SOUK_SECRET_KEY",
        "database.url = postgres://ada:(hidden)@h/n  # $DATABASE_URL",
        "shop.currency = EUR  # default of development",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(KEY) && !text.contains("pw"));
}

#[test]
fn keys_are_unique_and_belong_to_their_section() {
    let keys: Vec<_> = all().map(|setting| setting.key).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    let names: Vec<_> = known_variables().collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

/// OPS-01, both ways: what is read stands in `.env.example`, and what stands there is read.
#[test]
fn the_example_environment_names_exactly_what_is_read() {
    let example = include_str!("../../../../.env.example");
    let named: BTreeSet<String> = example
        .lines()
        .map(|line| line.trim_start_matches('#').trim_start())
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
        .collect();
    let read: BTreeSet<String> = known_variables().collect();
    let missing: Vec<_> = read.difference(&named).collect();
    let unread: Vec<_> = named.difference(&read).collect();
    assert!(missing.is_empty() && unread.is_empty(), "not in .env.example: {missing:?}\nnot read: {unread:?}");
}

/// What the example shows as default is the default.
#[test]
fn the_example_environment_shows_the_defaults() {
    let example = include_str!("../../../../.env.example");
    for setting in all() {
        let line = format!("# {}={}", setting.variable(), setting.development);
        assert!(example.lines().any(|found| found == line), "{line} is not in .env.example");
    }
}

#[test]
fn whoever_is_called_is_called_on_terms_that_may_be_changed_within_bounds() {
    use integrations::resilience::{Kind, Terms};
    assert!(read("", &[]).dependencies.is_empty(), "all is as usual");
    let percent = ("SOUK__DEPENDENCIES__MAIL__ERROR_PERCENT", "70");
    let terms = read("[dependencies.mail]\ntimeout_ms = 30000\nat_once = 2", &[percent]).dependencies;
    let usual = Kind::Mail.usual();
    let mut expected = Terms { timeout: Duration::from_secs(30), at_once: 2, ..usual };
    expected.breaker.error_percent = 70;
    assert_eq!(terms, [(Kind::Mail, expected)].into());
    for (file, expected) in [
        (
            "[dependencies.mail]\ntimeout_ms = 30001",
            "dependencies.mail.timeout_ms (souk.toml): must be a number from 1 to 30000",
        ),
        (
            "[dependencies.mial]\ntimeout_ms = 1",
            "dependencies.mial.timeout_ms (souk.toml): nobody of this name is called, but mail, files",
        ),
        ("[dependencies.mail]\ntimout_ms = 1", "did you mean dependencies.mail.timeout_ms?"),
        ("[calls]\nwhole_ms = 30001", "calls.whole_ms (souk.toml): must be a number from 1 to 30000"),
        ("[http]\nrequests_at_once = 0", "http.requests_at_once"),
    ] {
        assert!(faults(file, &[]).contains(expected), "{expected}: {}", faults(file, &[]));
    }
}

#[test]
fn providers_are_named_by_the_operator_and_known_by_their_names() {
    let file = "[oauth.google]\nclient_id = \"g\"\n[oauth.work]\npreset = \"oidc\"\ntitle = \"Work\"\nclient_id = \"w\"\n\
        issuer = \"https://id.example\"\nscopes = \"openid email\"\n[oauth.github]\nclient_id = \"h\"\ntoken_url = \"http://127.0.0.1:9/token\"";
    let secrets = [
        ("SOUK__OAUTH__GOOGLE__CLIENT_SECRET", "s3cret"),
        ("SOUK__OAUTH__WORK__CLIENT_SECRET", "s3cret"),
        ("SOUK__OAUTH__GITHUB__CLIENT_SECRET", "s3cret"),
    ];
    let providers = read(file, &secrets).outside.providers;
    let provider = |name: &str| providers.iter().find(|one| one.name == name).unwrap();
    let google = provider("google");
    assert_eq!((google.title.as_str(), google.client_secret.as_str()), ("Google", "s3cret"));
    assert_eq!(google.endpoints.issuer.as_deref(), Some("https://accounts.google.com"));
    let work = provider("work");
    assert_eq!((work.title.as_str(), work.scopes.as_str()), ("Work", "openid email"));
    let github = provider("github");
    assert_eq!(github.endpoints.token.as_deref(), Some("http://127.0.0.1:9/token"));
    assert_eq!(github.endpoints.userinfo.as_deref(), Some("https://api.github.com/user"));
    let text = print(&layers(file, &secrets));
    assert!(text.contains("oauth.google.client_secret = (hidden)") && !text.contains("s3cret"), "{text}");
    assert!(text.contains("oauth.google.private_key = (not set)"), "{text}");
}

#[test]
fn faults_of_providers_are_told_by_their_names() {
    let with = |text: &str| {
        faults(&format!("[oauth.google]\nclient_id = \"g\"\n{text}"), &[("SOUK__OAUTH__GOOGLE__CLIENT_SECRET", "s")])
    };
    for (text, told) in [
        (
            "client_secret = \"x\"",
            "oauth.google.client_secret in souk.toml: is a secret and must not stand in a file; set SOUK__OAUTH__GOOGLE__CLIENT_SECRET",
        ),
        ("clientid = \"x\"", "did you mean oauth.google.client_id?"),
        ("preset = \"myspace\"", "oauth.google.preset (souk.toml): must be one of oidc, google"),
        ("preset = \"oidc\"", "oauth.google.issuer (default of development): must be set"),
        ("issuer = \"http://id.example\"", "oauth.google.issuer (souk.toml): must begin with https://"),
        ("issuer = \"id.example\"", "oauth.google.issuer (souk.toml): must be an address"),
    ] {
        assert!(with(text).contains(told), "{told} is not in\n{}", with(text));
    }
    assert!(
        faults("[oauth.google]\nclient_id = \"g\"", &[])
            .contains("oauth.google.client_secret (default of development): must be set")
    );
    let apple = [
        ("SOUK__OAUTH__APPLE__CLIENT_ID", "a"),
        ("SOUK__OAUTH__APPLE__TEAM_ID", "t"),
        ("SOUK__OAUTH__APPLE__KEY_ID", "k"),
    ];
    assert!(faults("", &apple).contains("oauth.apple.private_key (default of development): must be set"));
    let bad = [&apple[..], &[("SOUK__OAUTH__APPLE__PRIVATE_KEY", "no key")]].concat();
    let report = faults("", &bad);
    assert!(report.contains("must be a key for ES256 in PEM") && !report.contains("no key"), "{report}");
    let production = [("NODE_ENV", "production"), ("SOUK_SECRET_KEY", KEY), ("SOUK__OAUTH__GOOGLE__CLIENT_ID", "g")];
    assert!(faults("", &production).contains("public.url"));
}

#[test]
fn an_issuer_is_believed_only_for_whom_its_tokens_are() {
    let file = "[issuers.clerk]\nissuer = \"https://clerk.example\"\nauthorized_parties = [\"https://shop.example\"]";
    let issuers = read(file, &[("SOUK__ISSUERS__CLERK__EMAIL_CLAIM", "https://shop.example/email")]).outside.issuers;
    let [clerk] = &issuers[..] else { panic!("one issuer") };
    assert_eq!(
        (clerk.issuer.as_str(), clerk.parties.as_slice()),
        ("https://clerk.example", &["https://shop.example".to_owned()][..])
    );
    assert_eq!((clerk.algorithms.len(), clerk.email_claim.as_str()), (3, "https://shop.example/email"));
    for (text, told) in [
        ("audience = \"souk\"", "issuers.clerk.issuer (default of development): must be set"),
        (
            "issuer = \"https://clerk.example\"",
            "issuers.clerk.audience (default of development): must be set, or authorized_parties",
        ),
        (
            "issuer = \"https://clerk.example\"\naudience = \"souk\"\nalgorithms = \"HS256\"",
            "issuers.clerk.algorithms (souk.toml): must be some of RS256",
        ),
        (
            "issuer = \"https://clerk.example\"\naudience = \"souk\"\n[oauth.clerk]\npreset = \"google\"",
            "the name is taken by [issuers.clerk]",
        ),
        (
            "issuer = \"https://clerk.example\"\naudience = \"souk\"\n[identity]\nissuer = \"https://clerk.example\"",
            "must not be identity.issuer",
        ),
    ] {
        let report = faults(&format!("[issuers.clerk]\n{text}"), &[]);
        assert!(report.contains(told), "{told} is not in\n{report}");
    }
}

#[test]
fn calls_have_bounds() {
    let calls = read("[calls]\nallowed_networks = [\"10.0.0.0/8\"]\nredirects = 0", &[]).calls.settings;
    assert_eq!((calls.allowed.len(), calls.redirects, calls.connect), (1, 0, Duration::from_secs(5)));
    for bad in ["allowed_networks = \"everywhere\"", "head_ms = 0", "body_limit_bytes = 1"] {
        let report = faults(&format!("[calls]\n{bad}"), &[]);
        assert!(report.contains(&format!("calls.{}", bad.split(' ').next().unwrap())), "{report}");
    }
}

#[test]
fn passkeys_are_bound_to_the_domain_of_the_shop() {
    let bound = |variables: &[(&str, &str)]| {
        let passkeys = read("", variables).passkeys;
        (passkeys.domain, passkeys.origins)
    };
    let own =
        |domain: &str, origins: &[&str]| (domain.to_owned(), origins.iter().map(|one| (*one).to_owned()).collect());
    assert_eq!(bound(&[]), own("localhost", &["http://localhost:3000"]));
    assert_eq!(bound(&[("PUBLIC_URL", "http://192.0.2.7")]), own("", &[]), "browsers bind none to a number");
    let key = [("NODE_ENV", "production"), ("SOUK_SECRET_KEY", KEY)];
    assert_eq!(bound(&key), own("", &[]));
    let shop = [key[0], key[1], ("PUBLIC_URL", "https://www.shop.example:8443/eu")];
    assert_eq!(bound(&shop), own("www.shop.example", &["https://www.shop.example:8443/eu"]));
    let wider = [
        &shop[..],
        &[("SOUK__PASSKEYS__RP_ID", "Shop.example"), ("SOUK__PASSKEYS__ORIGINS", "https://app.shop.example")],
    ];
    let origins = ["https://www.shop.example:8443/eu", "https://app.shop.example"];
    assert_eq!(bound(&wider.concat()), own("shop.example", &origins));
    for (name, value) in [
        ("SOUK__PASSKEYS__ORIGINS", "https://evil.example"),
        ("SOUK__PASSKEYS__ORIGINS", "https://evilwww.shop.example"),
        ("SOUK__PASSKEYS__ORIGINS", "http://www.shop.example"),
        ("SOUK__PASSKEYS__RP_ID", "other.example"),
    ] {
        let report = faults("", &[&shop[..], &[(name, value)]].concat());
        assert!(report.contains("passkeys.origins"), "{name}={value}: {report}");
    }
}

#[test]
fn senders_of_webhooks_are_sections_of_their_own() {
    let file = "[hooks.clerk]\nscheme = \"standard\"\nhandler = \"clerk\"\n[hooks.pay]\nscheme = \"stripe\"\n\
        [hooks.code]\nscheme = \"github\"\nbody_limit_bytes = 5000\n\
        [hooks.own]\nscheme = \"hmac\"\nsignature_header = \"X-Sig\"\nsigned = \"{timestamp}.{body}\"\ntimestamp_header = \"X-At\"\n\
        id = \"/data/id\"\ntype = \"header:X-Kind\"\n\
        [issuers.clerk]\nissuer = \"https://clerk.example\"\naudience = \"souk\"";
    let secrets = [
        (
            "SOUK__HOOKS__CLERK__SECRETS",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx",
        ),
        ("SOUK__HOOKS__PAY__SECRETS", "whsec_pay"),
        ("SOUK__HOOKS__CODE__SECRETS", "a secret of ours"),
        ("SOUK__HOOKS__OWN__SECRETS", "s3cret-of-own"),
    ];
    let sources = read(file, &secrets).hooks;
    let [clerk, pay, code, own] = ["clerk", "pay", "code", "own"].map(|name| sources.get(name).unwrap());
    assert!(clerk.handler.is_some() && pay.handler.is_none());
    assert_eq!((pay.most, code.most), (1024 * 1024, 5000));
    let field = |at: &str| Some(Place::Field(at.to_owned()));
    assert_eq!((&own.finds.id, &own.finds.kind), (&field("/data/id"), &Some(Place::Header("x-kind".to_owned()))));
    assert_eq!((&pay.finds.id, &pay.finds.kind), (&field("/id"), &field("/type")));
    assert!(sources.get("other").is_none());
    let text = print(&layers(file, &secrets));
    assert!(text.contains("hooks.own.secrets = (hidden)") && !text.contains("s3cret"), "{text}");

    let bad = |text: &str, variables: &[(&str, &str)]| faults(&format!("[hooks.own]\n{text}"), variables);
    let secret = [("SOUK__HOOKS__OWN__SECRETS", "s3cret-of-own")];
    for (text, part) in [
        ("secrets = \"x\"", "is a secret and must not stand in a file; set SOUK__HOOKS__OWN__SECRETS"),
        ("schema = \"x\"", "did you mean hooks.own.scheme?"),
        ("scheme = \"svix\"", "hooks.own.scheme (souk.toml): must be one of standard, stripe, github, hmac"),
        (
            "scheme = \"standard\"",
            "hooks.own.secrets ($SOUK__HOOKS__OWN__SECRETS): the source has a secret that is not of its scheme",
        ),
        ("scheme = \"hmac\"", "hooks.own.signature_header (default of development): must be set"),
        (
            "scheme = \"hmac\"\nsignature_header = \"x\"\nsigned = \"{at}\"",
            "hooks.own.signed (souk.toml): has a template",
        ),
        ("scheme = \"hmac\"\nsignature_header = \"x\"\ntimestamp_header = \"y\"", "has a template"),
        (
            "scheme = \"stripe\"\ntolerance_seconds = 0",
            "hooks.own.tolerance_seconds (souk.toml): must be a number from 1",
        ),
        ("scheme = \"stripe\"\nid = \"data.id\"", "hooks.own.id (souk.toml): must be a place in the body"),
        ("scheme = \"stripe\"\nhandler = \"clark\"", "hooks.own.handler (souk.toml): must be one of"),
        (
            "scheme = \"stripe\"\nhandler = \"clerk\"",
            "hooks.own.issuer (default of development): must name the section",
        ),
    ] {
        let report = bad(text, &secret);
        assert!(report.contains(part) && !report.contains("s3cret"), "{part} is not in\n{report}");
    }
    assert!(bad("scheme = \"stripe\"", &[]).contains("the source needs a secret"));
}
