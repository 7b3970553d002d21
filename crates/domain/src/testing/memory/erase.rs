//! Making somebody a pseudonym, in memory.

use super::state::State;
use crate::{
    clock::Timestamp,
    id::UserId,
    identity::{NO_PASSWORD, Pseudonym},
    permission::{Role, Roles},
};

impl State {
    /// What `UserRepo::erase` promises. Places and tickets are no part of a transaction here.
    pub(super) fn erase(&mut self, id: UserId, pseudonym: &Pseudonym, at: Timestamp) {
        let Some(stored) = self.users.get_mut(&id) else { return };
        let before = stored.user.email.clone();
        stored.user.email = pseudonym.email.clone();
        stored.user.name.clone_from(&pseudonym.name);
        stored.user.email_verified_at = None;
        stored.user.roles = Roles::new([Role::User]);
        stored.user.updated_at = at;
        NO_PASSWORD.clone_into(&mut stored.password_hash);
        self.deletions.remove(&id);
        self.library_locks.retain(|_, lock| lock.owner != id);
        self.erased.insert(id);
        for session in self.sessions.values_mut() {
            let acted = session.impersonation.as_mut();
            let acts = acted.as_ref().is_some_and(|acted| acted.by.user == id);
            if session.user == id || acts {
                session.client = crate::identity::Client::default();
                if let Some(acted) = acted {
                    acted.reason.clear();
                }
            }
        }
        self.codes.retain(|(user, _), _| *user != id);
        self.challenges.retain(|_, (challenge, _)| challenge.user != id);
        self.links.retain(|_, link| link.user != id);
        self.totp.remove(&id);
        self.recovery.retain(|(user, _)| *user != id);
        self.passkeys.retain(|_, passkey| passkey.user != id);
        self.exports.retain(|_, (export, _)| export.user != id);
        self.views.retain(|(user, _), _| *user != id);
        self.grants.retain(|(_, user), _| *user != id);
        self.bans.remove(&id);
        self.api_keys.retain(|_, held| held.key.user != id);
        self.invitations.retain(|_, (invitation, _)| invitation.email != before);
        let own = id.to_string();
        for event in self.hooks.values_mut().filter(|event| event.user == Some(id)) {
            event.body = None;
        }
        self.keys.retain(|scope, kept| !scope.is_of(id) && !String::from_utf8_lossy(&kept.reply.body).contains(&own));
        self.rooms.forget(id);
        self.webhooks.forget(id);
        self.conversations.forget(id);
    }
}
