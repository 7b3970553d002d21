//! How connections end: the codes of RFC 6455 and our own, with advice for clients.

use std::borrow::Cow;

use actix_http::ws::{CloseCode, CloseReason, ProtocolError};
use domain::Shop;

use super::outgoing::Outgoing;
use crate::stream::listener::jittered;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client closed it, or is gone.
    Client,
    /// This server ends.
    Shutdown,
    /// Nothing was heard for too long.
    PingTimeout,
    /// The access token ended, or the person is not there any more.
    SessionEnded,
    /// What was to be told found no room: the client takes too little.
    TooSlow,
    /// A message was larger than allowed.
    TooBig,
    /// A text was not UTF-8.
    NotUtf8,
    /// The protocol was broken.
    Protocol,
    /// Binary messages mean nothing here.
    Binary,
    /// A fault of ours.
    Internal,
}

impl Ended {
    /// Code, reason, and whether to connect again with the same credentials.
    pub fn told(self) -> (u16, &'static str, bool) {
        match self {
            Self::Client => (1000, "", true),
            Self::PingTimeout => (1000, "Ping timeout", true),
            Self::Shutdown => (1012, "Server shutdown", true),
            Self::TooSlow => (1013, "Too slow", true),
            Self::Internal => (1011, "Internal error", true),
            Self::Protocol => (1002, "Protocol error", false),
            Self::Binary => (1003, "Text only", false),
            Self::NotUtf8 => (1007, "Not UTF-8", false),
            Self::TooBig => (1009, "Message too big", false),
            Self::SessionEnded => (4401, "Session ended", false),
        }
    }

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Shutdown => "shutdown",
            Self::PingTimeout => "ping_timeout",
            Self::SessionEnded => "session_ended",
            Self::TooSlow => "too_slow",
            Self::TooBig => "too_big",
            Self::NotUtf8 => "not_utf8",
            Self::Protocol => "protocol",
            Self::Binary => "binary",
            Self::Internal => "internal",
        }
    }

    /// The last message before the connection is closed. Clients come back spread over some seconds.
    pub fn farewell(self, shop: &Shop) -> Outgoing {
        let (code, reason, reconnect) = self.told();
        let retry_after_ms = reconnect.then(|| u64::from(jittered(shop)));
        Outgoing::Closing { code, reason, reconnect, retry_after_ms }
    }

    /// What closes the connection.
    pub fn reason(self) -> CloseReason {
        let (code, reason, _) = self.told();
        let description = (!reason.is_empty()).then(|| reason.to_owned());
        CloseReason { code: CloseCode::from(code), description }
    }

    /// Why a connection ends whose bytes could not be read.
    pub fn of(error: &ProtocolError) -> Self {
        match error {
            ProtocolError::Overflow => Self::TooBig,
            ProtocolError::Io(_) => Self::Client,
            _ => Self::Protocol,
        }
    }
}

/// Every close code with its reason and whether to connect again, for documents.
pub fn closings() -> impl Iterator<Item = (u16, Cow<'static, str>, bool)> {
    let all = [
        Ended::PingTimeout,
        Ended::Protocol,
        Ended::Binary,
        Ended::NotUtf8,
        Ended::TooBig,
        Ended::Internal,
        Ended::Shutdown,
        Ended::TooSlow,
        Ended::SessionEnded,
    ];
    all.into_iter().map(|ended| {
        let (code, reason, reconnect) = ended.told();
        (code, reason.into(), reconnect)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_table_of_the_architecture() {
        let page = include_str!("../../../../ARCHITECTURE.md");
        for (code, reason, _) in closings() {
            assert!(page.contains(&format!("| {code} | {reason} |")), "{code} {reason}");
        }
    }
}
