//! Making somebody a pseudonym: what says anything of them goes.

use domain::{
    Result,
    clock::Timestamp,
    id::UserId,
    identity::{NO_PASSWORD, Pseudonym},
};

use crate::{
    statement::{execute, statement},
    tx::SeaTx,
};

/// One after the other, `$1` the person. What is not here stays under their id, which a test of the schema lists with its reason.
const FORGET: &[&str] = &[
    // Before the address is another.
    "DELETE FROM seller_invitations WHERE email = (SELECT email FROM users WHERE id = $1)",
    "DELETE FROM user_roles WHERE user_id = $1 AND role <> 'user'",
    // The rows tell every node which tokens hold no more; they are purged with all others.
    "UPDATE sessions SET device = NULL, address = NULL, impersonation_reason = NULL WHERE user_id = $1 OR impersonator_id = $1",
    "DELETE FROM action_codes WHERE user_id = $1",
    "DELETE FROM sign_in_places WHERE user_id = $1",
    "DELETE FROM sign_in_challenges WHERE user_id = $1",
    "DELETE FROM user_identities WHERE user_id = $1",
    "DELETE FROM totp_factors WHERE user_id = $1",
    "DELETE FROM recovery_codes WHERE user_id = $1",
    "DELETE FROM passkeys WHERE user_id = $1",
    "DELETE FROM data_exports WHERE user_id = $1",
    "DELETE FROM stream_tickets WHERE user_id = $1 OR impersonator_id = $1",
    "DELETE FROM user_bans WHERE user_id = $1",
    "DELETE FROM api_keys WHERE user_id = $1",
    // With their messages. Those of seller accounts and of the shop are not theirs.
    "DELETE FROM webhook_endpoints WHERE user_id = $1 AND owner = 'person'",
    // With all that was said in them.
    "DELETE FROM conversations WHERE user_id = $1",
    "DELETE FROM product_views WHERE user_id = $1",
    "DELETE FROM grants WHERE user_id = $1",
    "DELETE FROM library_locks WHERE owner_id = $1",
    "DELETE FROM room_members WHERE user_id = $1",
    "DELETE FROM room_sanctions WHERE user_id = $1",
    "DELETE FROM room_reads WHERE user_id = $1",
    "UPDATE hook_events SET body = NULL WHERE user_id = $1",
    "DELETE FROM idempotency_keys WHERE actor_id = $1",
];

impl SeaTx {
    pub(super) async fn forget(&mut self, id: UserId, pseudonym: &Pseudonym, at: Timestamp) -> Result<()> {
        for sql in FORGET {
            execute(&self.tx, statement(self.engine, *sql, [id.0.into()])).await?;
        }
        // A sign-up was answered to nobody in particular, and the answer shows who they are.
        let shows =
            self.engine.pick("instr(body, CAST($1 AS blob)) > 0", "position(convert_to($1, 'UTF8') in body) > 0");
        let sql = format!("DELETE FROM idempotency_keys WHERE operation = 'register' AND {shows}");
        execute(&self.tx, statement(self.engine, sql, [id.to_string().into()])).await?;
        let sql = "UPDATE users SET email = $2, name = $3, password_hash = $4, email_verified_at = NULL, deletes_at = NULL, \
                   deleted_at = $5, updated_at = $5 WHERE id = $1";
        let values = [
            id.0.into(),
            pseudonym.email.as_str().into(),
            pseudonym.name.as_str().into(),
            NO_PASSWORD.into(),
            at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }
}
