//! How somebody proved who they are.

/// One way to prove who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The password.
    Password,
    /// A code that was sent by mail.
    EmailCode,
    /// The code of an authenticator app.
    Totp,
    /// A recovery code, in place of the app.
    Recovery,
    /// A passkey, which asked for the person's finger, face or PIN.
    Passkey,
    /// Somebody else who signs people in.
    External,
    /// Nothing at all: a guest.
    Anonymous,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 7] =
        [Self::Password, Self::EmailCode, Self::Totp, Self::Recovery, Self::Passkey, Self::External, Self::Anonymous];

    /// The name stored and told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::EmailCode => "email_code",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
            Self::External => "external",
            Self::Anonymous => "anonymous",
        }
    }

    /// The method of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::EmailCode => 2,
            Self::Totp => 4,
            Self::Recovery => 8,
            Self::Passkey => 16,
            Self::External => 32,
            Self::Anonymous => 64,
        }
    }
}

/// The ways somebody went together.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Methods(u8);

impl Methods {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// This one alone.
    pub fn of(method: Method) -> Self {
        Self(method.bit())
    }

    /// These and that one.
    #[must_use]
    pub fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    /// Whether it is among them.
    pub fn has(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether they are as good as two factors: a passkey is something one has, unlocked by something one knows or is.
    pub fn are_two_factors(self) -> bool {
        [Method::Totp, Method::Recovery, Method::Passkey].into_iter().any(|method| self.has(method))
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Method::ALL.into_iter().filter(move |method| self.has(*method)).map(Method::name)
    }

    /// As they are stored: names with a space between.
    pub fn stored(self) -> String {
        self.names().collect::<Vec<_>>().join(" ")
    }

    /// What was stored. Names of a later version are none.
    pub fn read(text: &str) -> Self {
        text.split(' ').filter_map(Method::named).fold(Self::NONE, Self::with)
    }
}

impl std::fmt::Debug for Methods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// What somebody who signs in has proved so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proven<'a> {
    /// By which ways.
    pub methods: Methods,
    /// The stored hash of the password that was checked, where one was: whoever has another by now is not let in by it.
    pub checked: Option<&'a str>,
}

impl std::fmt::Debug for Proven<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proven").field("methods", &self.methods).finish_non_exhaustive()
    }
}

impl<'a> Proven<'a> {
    /// By the password with this stored hash.
    pub fn by_password(hash: &'a str) -> Self {
        Self { methods: Methods::of(Method::Password), checked: Some(hash) }
    }

    /// By another way.
    pub fn by(method: Method) -> Self {
        Self { methods: Methods::of(method), checked: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_read_back_and_only_some_are_two_factors() {
        for method in Method::ALL {
            assert_eq!(Method::named(method.name()), Some(method));
            assert_eq!(Methods::read(&Methods::of(method).stored()), Methods::of(method));
        }
        let both = Methods::of(Method::Password).with(Method::Totp);
        assert_eq!((both.stored().as_str(), Methods::read("password totp")), ("password totp", both));
        assert_eq!((Methods::read("telepathy"), Methods::read("")), (Methods::NONE, Methods::NONE));
        let two: Vec<_> = Method::ALL.into_iter().filter(|one| Methods::of(*one).are_two_factors()).collect();
        assert_eq!(two, [Method::Totp, Method::Recovery, Method::Passkey]);
        assert!(both.are_two_factors());
    }
}
