//! The providers that most people have an account with, each with what is its own.

/// Which provider it is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Any issuer of `OpenID` Connect.
    Oidc,
    /// Google.
    Google,
    /// GitHub: no identity token; who somebody is, and which of their addresses is proven, is asked for.
    Github,
    /// Microsoft: an issuer for each tenant, and an address that its administrator writes.
    Microsoft,
    /// Apple: a secret that we sign, an answer by a posted form, a name told once.
    Apple,
    /// Discord: no identity token unless asked for otherwise; addresses may be unproven.
    Discord,
    /// GitLab.
    Gitlab,
}

/// Where a provider is, as far as it is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// What it calls itself.
    pub issuer: Option<String>,
    /// Where people sign in.
    pub authorize: Option<String>,
    /// Where codes are redeemed.
    pub token: Option<String>,
    /// Where it says who somebody is.
    pub userinfo: Option<String>,
    /// Where GitHub says which addresses somebody has.
    pub emails: Option<String>,
    /// Where its keys are.
    pub keys: Option<String>,
}

impl Preset {
    /// Every preset with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("oidc", Self::Oidc),
        ("google", Self::Google),
        ("github", Self::Github),
        ("microsoft", Self::Microsoft),
        ("apple", Self::Apple),
        ("discord", Self::Discord),
        ("gitlab", Self::Gitlab),
    ];

    /// The preset of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset)
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Oidc => "Single sign-on",
            Self::Google => "Google",
            Self::Github => "GitHub",
            Self::Microsoft => "Microsoft",
            Self::Apple => "Apple",
            Self::Discord => "Discord",
            Self::Gitlab => "GitLab",
        }
    }

    /// What is asked for.
    pub fn scopes(self) -> &'static str {
        match self {
            Self::Github => "read:user user:email",
            Self::Discord => "identify email",
            Self::Apple => "openid name email",
            _ => "openid profile email",
        }
    }

    /// Whether it signs an identity token.
    pub(super) fn signs(self) -> bool {
        !matches!(self, Self::Github | Self::Discord)
    }

    /// Whether it answers by a form that the browser posts.
    pub(super) fn posts(self) -> bool {
        self == Self::Apple
    }

    /// Where it is.
    pub fn endpoints(self) -> Endpoints {
        let issuer = |text: &str| Endpoints { issuer: Some(text.to_owned()), ..Endpoints::default() };
        let some = |text: &str| Some(text.to_owned());
        match self {
            Self::Oidc => Endpoints::default(),
            Self::Google => issuer("https://accounts.google.com"),
            Self::Microsoft => issuer("https://login.microsoftonline.com/common/v2.0"),
            Self::Apple => issuer("https://appleid.apple.com"),
            Self::Gitlab => issuer("https://gitlab.com"),
            Self::Github => Endpoints {
                issuer: some("https://github.com"),
                authorize: some("https://github.com/login/oauth/authorize"),
                token: some("https://github.com/login/oauth/access_token"),
                userinfo: some("https://api.github.com/user"),
                emails: some("https://api.github.com/user/emails"),
                keys: None,
            },
            Self::Discord => Endpoints {
                issuer: some("https://discord.com"),
                authorize: some("https://discord.com/oauth2/authorize"),
                token: some("https://discord.com/api/oauth2/token"),
                userinfo: some("https://discord.com/api/users/@me"),
                emails: None,
                keys: None,
            },
        }
    }
}

impl Endpoints {
    /// These, and where nothing is said, those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            issuer: self.issuer.or(other.issuer),
            authorize: self.authorize.or(other.authorize),
            token: self.token.or(other.token),
            userinfo: self.userinfo.or(other.userinfo),
            emails: self.emails.or(other.emails),
            keys: self.keys.or(other.keys),
        }
    }
}
