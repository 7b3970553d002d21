//! `[blobs]`: where the bytes of files lie, and how much is kept.

use std::{path::PathBuf, time::Duration};

use domain::assets::{AssetRules, Quotas};
use integrations::{blobs::S3Settings, clamav::ClamAvAddress};

use super::{Reader, Setting, database::is_private};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("blobs.store", "fs", "Where bytes lie: fs, a folder, which all nodes must share; or s3, a bucket."),
    Setting::new("blobs.path", "data/blobs", "The folder."),
    Setting::new("blobs.bucket", "", "The bucket, which must be there."),
    Setting::new("blobs.prefix", "", "What all keys in the bucket begin with, such as shops/one."),
    Setting::new("blobs.region", "us-east-1", "The region of the bucket."),
    Setting::new("blobs.endpoint", "", "The base of a store that is not Amazon's, such as https://s3.example."),
    Setting::new("blobs.access_key_id", "", "Who we are to the store; without it the machine says so.")
        .alias("AWS_ACCESS_KEY_ID"),
    Setting::new("blobs.secret_access_key", "", "What proves it.").alias("AWS_SECRET_ACCESS_KEY").secret(),
    Setting::new("blobs.virtual_host", "false", "Whether the bucket is the first part of the host, not of the path."),
    Setting::new("blobs.file_max_mib", "1024", "The longest file, in MiB."),
    Setting::new("blobs.person_quota_mib", "20480", "How much is kept of what one person uploaded, in MiB."),
    Setting::new("blobs.seller_quota_mib", "102400", "How much is kept for one seller account, in MiB."),
    Setting::new("blobs.grace_hours", "24", "How long bytes that nobody holds are left where they are."),
    Setting::new(
        "blobs.upload_hours",
        "24",
        "How long an upload in portions waits for the next one, and how long what became of it is told.",
    ),
    Setting::new(
        "blobs.scanner",
        "",
        "ClamAV's daemon, which all files pass: tcp://host:port or unix:///path; empty for none.",
    ),
    Setting::new("blobs.idle_seconds", "30", "How long an upload may pause."),
];

const MIB: u64 = 1 << 20;

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StoreKind {
    /// A folder.
    Fs,
    /// A bucket.
    S3,
}

/// Where bytes lie, and how much is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blobs {
    pub(crate) store: StoreKind,
    pub(crate) path: PathBuf,
    /// `None` when no bucket is named.
    pub(crate) bucket: Option<S3Settings>,
    pub(crate) rules: AssetRules,
    pub(crate) idle: Duration,
    /// Who looks at files for malware.
    pub(crate) scanner: Option<ClamAvAddress>,
}

impl Blobs {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let store = reader.one_of("blobs.store", &[("fs", StoreKind::Fs), ("s3", StoreKind::S3)]);
        let bucket = bucket(reader);
        let mut mib = |key, most| reader.number(key, 1..=most).map(|mib: u64| mib * MIB);
        let file_max = mib("blobs.file_max_mib", 5 * 1024);
        let person = mib("blobs.person_quota_mib", 1 << 30);
        let seller = mib("blobs.seller_quota_mib", 1 << 30);
        let grace = reader.number("blobs.grace_hours", 1..=24 * 90).map(Duration::from_hours);
        let upload_life = reader.number("blobs.upload_hours", 1..=24 * 30).map(Duration::from_hours);
        let idle = reader.seconds("blobs.idle_seconds", 1..=600);
        let scanner = scanner(reader);
        let path = PathBuf::from(reader.text("blobs.path"));
        if store == Some(StoreKind::Fs) && path.as_os_str().is_empty() {
            reader.fault("blobs.path", "must name a folder");
            return None;
        }
        if store == Some(StoreKind::S3) && bucket.as_ref().is_some_and(Option::is_none) {
            reader.fault("blobs.bucket", "must name a bucket when blobs.store is s3");
            return None;
        }
        let quotas = Quotas { person: person?, seller: seller? };
        let rules = AssetRules { file_max: file_max?, quotas, grace: grace?, upload_life: upload_life? };
        Some(Self { store: store?, path, bucket: bucket?, rules, idle: idle?, scanner: scanner? })
    }
}

#[expect(clippy::option_option, reason = "no scanner is no fault")]
fn scanner(reader: &mut Reader<'_>) -> Option<Option<ClamAvAddress>> {
    let text = reader.text("blobs.scanner");
    if text.is_empty() {
        return Some(None);
    }
    let address = ClamAvAddress::parse(&text);
    if address.is_none() {
        reader.fault("blobs.scanner", "must be tcp://host:port or unix:///path of ClamAV's daemon");
    }
    address.map(Some)
}

#[expect(clippy::option_option, reason = "without a bucket is no fault")]
fn bucket(reader: &mut Reader<'_>) -> Option<Option<S3Settings>> {
    let virtual_host = reader.flag("blobs.virtual_host");
    let text = |reader: &Reader<'_>, key| reader.text(key);
    let (bucket, prefix) = (text(reader, "blobs.bucket"), text(reader, "blobs.prefix"));
    let (region, endpoint) = (text(reader, "blobs.region"), text(reader, "blobs.endpoint"));
    let (id, secret) = (text(reader, "blobs.access_key_id"), text(reader, "blobs.secret_access_key"));
    let virtual_host = virtual_host?;
    if bucket.is_empty() {
        return Some(None);
    }
    if id.is_empty() != secret.is_empty() {
        reader.fault("blobs.access_key_id", "and blobs.secret_access_key must be set together");
        return None;
    }
    let plain = prefix
        .split('/')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
    if !prefix.is_empty() && !plain {
        reader
            .fault("blobs.prefix", "must be letters, digits, -, _ and . with single slashes between, none at its ends");
        return None;
    }
    let host = endpoint.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    if !endpoint.is_empty() && host.is_none() && !endpoint.starts_with("https://") {
        reader.fault("blobs.endpoint", "must begin with https:// or http://");
        return None;
    }
    if reader.strict() && host.is_some_and(|host| !is_private(host)) {
        reader.fault("blobs.endpoint", "must be encrypted in production: https://");
        return None;
    }
    let endpoint = Some(endpoint).filter(|endpoint| !endpoint.is_empty());
    let keys = (!id.is_empty()).then_some((id, secret));
    Some(Some(S3Settings { bucket, prefix, region, endpoint, keys, virtual_host }))
}
