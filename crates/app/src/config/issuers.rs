//! `[issuers.<name>]`: those whose access tokens are believed.

use integrations::outside::{ALGORITHMS, IssuerSettings};

use super::{
    Reader,
    family::{Family, Field},
    oauth::address,
};

/// The sections.
pub(super) const FAMILY: Family = Family {
    section: "issuers.",
    variables: "SOUK__ISSUERS__",
    fields: &[
        Field::new("issuer", ""),
        Field::new("audience", ""),
        Field::new("authorized_parties", ""),
        Field::new("keys_url", ""),
        Field::new("algorithms", "RS256,ES256,EdDSA"),
        Field::new("email_claim", "email"),
        Field::new("email_verified_claim", "email_verified"),
        Field::new("name_claim", "name"),
    ],
};

/// Reads every issuer that has a name in some layer.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<IssuerSettings>> {
    let names = reader.names(|key| FAMILY.named(key));
    let read: Vec<_> = names.iter().map(|name| issuer(reader, name)).collect();
    read.into_iter().collect()
}

fn issuer(reader: &mut Reader<'_>, name: &str) -> Option<IssuerSettings> {
    let key = |field: &str| format!("issuers.{name}.{field}");
    let (issuer, keys_url) = (address(reader, &key("issuer"))?, address(reader, &key("keys_url"))?);
    let Some(issuer) = issuer else {
        reader.fault(&key("issuer"), "must be set: the `iss` of its tokens");
        return None;
    };
    if issuer == reader.text("identity.issuer") {
        reader.fault(&key("issuer"), "must not be identity.issuer: those are tokens of our own");
        return None;
    }
    let (audiences, parties) = (reader.list(&key("audience")), reader.list(&key("authorized_parties")));
    if audiences.is_empty() && parties.is_empty() {
        reader.fault(
            &key("audience"),
            "must be set, or authorized_parties: else a token that another service got opens this shop",
        );
        return None;
    }
    let algorithms = reader.list(&key("algorithms"));
    if algorithms.is_empty() || algorithms.iter().any(|one| !ALGORITHMS.contains(&one.as_str())) {
        reader.fault(&key("algorithms"), format!("must be some of {}", ALGORITHMS.join(", ")));
        return None;
    }
    Some(IssuerSettings {
        name: name.to_owned(),
        issuer,
        audiences,
        parties,
        keys_url,
        algorithms,
        email_claim: reader.text(&key("email_claim")),
        verified_claim: reader.text(&key("email_verified_claim")),
        name_claim: reader.text(&key("name_claim")),
    })
}
