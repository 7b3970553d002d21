//! Scripts that Redis runs as one step, sent by name once it knows them.

use std::{borrow::Cow, sync::OnceLock};

use ::redis::{Cmd, ErrorKind, FromRedisValue, ServerErrorKind};

use super::{Failed, Redis};

/// A script, and the name that Redis gave it.
#[derive(Debug)]
pub(super) struct Script {
    text: Cow<'static, str>,
    name: OnceLock<String>,
}

impl Script {
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), name: OnceLock::new() }
    }

    /// Runs it, on this connection when one is given. `fill` adds the number of its keys, its keys and its arguments.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        redis: &Redis,
        on: Option<u64>,
        fill: impl Fn(&mut Cmd),
    ) -> Result<T, Failed> {
        let command = |verb: &str, script: &str| {
            let mut command = ::redis::cmd(verb);
            command.arg(script);
            fill(&mut command);
            command
        };
        let name = if let Some(name) = self.name.get() {
            name
        } else {
            let name = redis.call(::redis::cmd("SCRIPT").arg("LOAD").arg(&*self.text)).await?;
            self.name.get_or_init(|| name)
        };
        match send(redis, on, &command("EVALSHA", name)).await {
            // Redis has started anew and knows it no more.
            Err(Failed::Refused(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                send(redis, on, &command("EVAL", &self.text)).await
            }
            other => other,
        }
    }
}

async fn send<T: FromRedisValue>(redis: &Redis, on: Option<u64>, command: &Cmd) -> Result<T, Failed> {
    match on {
        Some(generation) => redis.call_on(generation, command).await,
        None => redis.call(command).await,
    }
}
