//! `souk user`: makes accounts and changes what they may do, from the command line.

mod password;

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    Actor, Principal, Shop, Violations,
    access::change_role,
    idempotency::Once,
    identity::{Email, RoleChange, SellerInput, User, UserInput, create_user, open_seller, ports::PasswordHasher},
    permission::{ChangeAccount, Role},
};

pub(crate) use self::password::{from_stdin, one_time};
use crate::{Outcome, config::Config, foundation::Foundation};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes an account. Asks for the password on a terminal; without one, a password is made and printed.
    Create(NewAccount),
    /// Gives a person a role.
    Grant(RoleOf),
    /// Takes a role from a person; it counts at once, on every node and in open connections.
    Revoke(RoleOf),
}

/// A role of somebody.
#[derive(Debug, Args)]
pub(crate) struct RoleOf {
    /// The address they sign in with.
    #[arg(long)]
    email: String,
    /// The role: user, seller, admin, or one that was made.
    #[arg(long)]
    role: String,
}

/// An account to make.
#[derive(Debug, Args)]
pub(crate) struct NewAccount {
    /// The address to sign in with.
    #[arg(long)]
    email: String,
    /// The name they go by; the part of the address before the @ when absent.
    #[arg(long)]
    name: Option<String>,
    /// What they may do.
    #[arg(long, value_enum, default_value_t = RoleName::User)]
    role: RoleName,
    /// The name of the seller account; only for sellers, their own name when absent.
    #[arg(long)]
    seller_name: Option<String>,
    /// Reads the password from the standard input instead of asking for it or making one.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    User,
    Seller,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Seller => Self::Seller,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn run(command: Command, config: &Config) -> Outcome {
    match command {
        Command::Create(account) => create(account, config).await,
        Command::Grant(of) => change(of, RoleChange::Grant, config).await,
        Command::Revoke(of) => change(of, RoleChange::Revoke, config).await,
    }
}

async fn change(of: RoleOf, change: RoleChange, config: &Config) -> Outcome {
    let email = Email::parse(&of.email).map_err(|breach| format!("--email {}", breach.message))?;
    let foundation = Foundation::open(config).await?;
    let changed = change_role(&foundation.shop, &email, change, &of.role).await;
    foundation.database.close().await?;
    let user = changed?;
    let roles: Vec<_> = user.roles.iter().map(|role| role.name().to_owned()).collect();
    Ok(crate::print(&format!("{} {} {}\n", user.id, roles.join(","), user.email.as_str()))?)
}

async fn create(account: NewAccount, config: &Config) -> Outcome {
    let given = password::given(account.password_stdin)?;
    let foundation = Foundation::open(config).await?;
    let password = given.clone().unwrap_or_else(|| one_time(&*foundation.shop.entropy));
    let role = account.role.into();
    let input = UserInput { email: Some(account.email), password: Some(password.clone()), name: account.name };
    let made = make(&foundation.shop, &*foundation.passwords, input, role, account.seller_name).await;
    foundation.database.close().await?;
    let (user, _) = made.map_err(told)?;
    let line = format!("{} {} {}", user.id, role.name(), user.email.as_str());
    Ok(crate::print(&match given {
        Some(_) => format!("{line}\n"),
        None => format!("{line} {password}\n"),
    })?)
}

/// Makes a person, and the seller account of a seller. Gives who they are when they call.
pub(crate) async fn make(
    shop: &Shop,
    hasher: &dyn PasswordHasher,
    input: UserInput,
    role: Role,
    seller_name: Option<String>,
) -> domain::Result<(User, Principal)> {
    let mut violations = Violations::default();
    let new = input.check(&mut violations);
    violations.into_result()?;
    let new = new.ok_or_else(|| domain::Error::internal("an input without breaches gave no user"))?;
    let user = create_user(shop, hasher, new, role).await?;
    let mut principal = Principal::delivered(user.id, user.roles.clone());
    if role == Role::Seller {
        let by = Actor::Signed(principal.clone()).authorize::<ChangeAccount>()?;
        let mut violations = Violations::default();
        let name = SellerInput { name: Some(seller_name.unwrap_or_else(|| user.name.clone())) }.check(&mut violations);
        violations.into_result()?;
        let opened = open_seller(shop, by, &name.unwrap_or_default(), &Once::always()).await?;
        if let Some(seller) = opened.fresh() {
            principal = principal.of_seller(seller.id);
        }
    }
    Ok((user, principal))
}

/// The error of a command, with every rule that its input breaks.
fn told(error: domain::Error) -> Box<dyn std::error::Error> {
    let domain::Error::Invalid(violations) = &error else { return error.into() };
    let faults = violations.iter().map(|one| format!("\n  {} {}", one.field.trim_start_matches('/'), one.message));
    format!("the account was not made:{}", faults.collect::<String>()).into()
}
