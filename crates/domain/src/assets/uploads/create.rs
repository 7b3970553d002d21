//! Beginning an upload.

use super::{FinishUpload, Finisher, Purpose, Resumable, UploadState, events};
use crate::{
    assets::{
        charge,
        files::{FileName, LICENCE_MAX, MediaType, may_manage},
        models,
    },
    catalog::Product,
    error::{Error, Result, Violations},
    id::UploadId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
    store::Tx,
    text,
};

/// Most uploads of a person that are open at the same time.
const OPEN_MAX: u64 = 100;

/// An upload to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// What it is to become.
    pub purpose: Purpose,
    /// How many bytes it will have.
    pub length: u64,
}

/// Begins an upload for a product of one's seller account. All its bytes are counted from now on, so that no quota is found to be
/// too small at its end.
///
/// # Errors
/// [`Error::Invalid`] for what is said of it; [`Error::NotFound`] and [`Error::Forbidden`] for the product or model;
/// [`Error::TooLarge`] when it is longer than it may be or than what is left; [`Error::Conflict`] for too many at once.
pub async fn create_upload(
    shop: &Shop,
    with: &Finisher,
    by: &Authorized<WriteProducts>,
    new: &NewUpload,
) -> Result<Resumable> {
    check(&new.purpose)?;
    let most = with.most(shop, &new.purpose);
    if new.length > most {
        return Err(Error::TooLarge(format!("A file for this may have at most {most} bytes")));
    }
    let who = by.principal();
    shop.write("create_upload", |mut tx| async move {
        let seller = product(&mut *tx, by, &new.purpose).await?.seller;
        if tx.uploads().open_of(who.user).await? >= OPEN_MAX {
            return Err(Error::conflict(format!(
                "At most {OPEN_MAX} uploads are open at once; end some of them, by their last byte or by DELETE"
            )));
        }
        let now = tx.now();
        let whole = new.length == 0;
        let upload = Resumable {
            id: shop.id::<UploadId>(),
            by: who.user,
            seller,
            purpose: new.purpose.clone(),
            length: new.length,
            offset: 0,
            state: if whole { UploadState::Finishing } else { UploadState::Receiving },
            outcome: None,
            created_at: now,
            expires_at: now + shop.rules.assets.upload_life,
        };
        charge(&mut *tx, &upload.holders(), upload.length, &shop.rules.assets.quotas).await?;
        tx.uploads().insert(&upload).await?;
        if whole {
            shop.enqueue(&mut *tx, FinishUpload { upload: upload.id }.request()).await?;
        }
        shop.record(&mut *tx, Some(who.user), events::created(&upload)).await?;
        tx.commit(upload).await
    })
    .await
}

/// What can be told of a purpose without looking.
fn check(purpose: &Purpose) -> Result<()> {
    let mut violations = Violations::default();
    let file_name = match purpose {
        Purpose::File { name, media_type, licence, .. } => {
            violations.check("filetype", MediaType::new(media_type));
            if let Some(licence) = licence {
                violations.check("licence", text::paragraph(licence, 0, LICENCE_MAX));
            }
            name
        }
        Purpose::Model { name, file_name, .. } => {
            if let Some(name) = name {
                violations.check("name", text::line(name, 1, models::NAME_MAX));
            }
            models::declared(file_name, "filename", &mut violations);
            file_name
        }
        Purpose::ModelVersion { file_name, .. } => {
            models::declared(file_name, "filename", &mut violations);
            file_name
        }
    };
    violations.check("filename", FileName::new(file_name));
    violations.into_result()
}

/// The product that an upload is for, if the caller may change it.
async fn product(tx: &mut dyn Tx, by: &Authorized<WriteProducts>, purpose: &Purpose) -> Result<Product> {
    match purpose {
        Purpose::File { product, .. } | Purpose::Model { product, .. } => {
            let found = tx.products().find(*product).await?.ok_or(Error::NotFound("Product"))?;
            may_manage(by.principal(), &found)?;
            Ok(found)
        }
        Purpose::ModelVersion { model, .. } => Ok(models::changeable(tx, by, *model).await?.1),
    }
}
