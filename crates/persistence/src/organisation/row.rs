//! Members and invitations as rows.

use domain::{
    Error, Result,
    id::{InvitationId, SellerId, UserId},
    identity::{Email, Seller},
    organisation::{Invitation, Member, MemberRole},
};
use sea_orm::QueryResult;

use crate::statement::at;

/// The columns of an account under the alias `s`, as [`seller`] reads them.
pub(super) const SELLER: &str = "s.id, s.name, s.slug, s.created_at";
/// The columns of an invitation, as [`invitation`] reads them.
pub(super) const INVITATION: &str = "id, seller_id, email, role, by_id, expires_at, created_at";

pub(super) fn role(row: &QueryResult, index: usize) -> Result<MemberRole> {
    let name: String = at(row, index)?;
    MemberRole::named(&name).ok_or_else(|| Error::internal(format!("a member is {name:?}")))
}

pub(super) fn seller(row: &QueryResult, first: usize) -> Result<Seller> {
    Ok(Seller {
        id: SellerId(at(row, first)?),
        name: at(row, first + 1)?,
        slug: at(row, first + 2)?,
        created_at: at(row, first + 3)?,
    })
}

pub(super) fn member(row: &QueryResult, first: usize) -> Result<Member> {
    Ok(Member {
        user: UserId(at(row, first)?),
        name: at(row, first + 1)?,
        role: role(row, first + 2)?,
        since: at(row, first + 3)?,
    })
}

pub(super) fn invitation(row: &QueryResult, first: usize) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId(at(row, first)?),
        seller: SellerId(at(row, first + 1)?),
        email: Email::stored(at(row, first + 2)?),
        role: role(row, first + 3)?,
        by: UserId(at(row, first + 4)?),
        expires_at: at(row, first + 5)?,
        created_at: at(row, first + 6)?,
    })
}
