//! What the background does with files: takes out what nobody holds, examines models, renders pictures, hands uploads over.

use domain::{
    Result, Shop,
    assets::{
        SettleFiles, SweepFiles,
        image::{Gallery, RerenderImages, rerender_images},
        models::{ProcessModel, fail_lost_models, process_model},
        uploads::{FinishUpload, Finisher, expire_uploads, fail_lost_uploads, finish_upload},
    },
};

use crate::{config::Config, files, foundation::Foundation, models, workers::jobs::Handlers};

/// The handlers of these kinds.
pub(super) fn handlers(foundation: &Foundation, config: &Config, shop: &Shop, gallery: Gallery) -> Result<Handlers> {
    let room = files::storeroom(config, foundation)?;
    let workshop = models::workshop(config, &room);
    let database = &foundation.database;
    let finisher = Finisher { workshop: workshop.clone(), uploads: database.uploads(), users: database.users() };
    let (waiting, handing) = (database.models(), finisher.clone());
    let (sweeping, settling) = (shop.clone(), shop.clone());
    let (modelling, finishing, rendering) = (shop.clone(), shop.clone(), shop.clone());
    Ok(Handlers::default()
        .on(move |_: SweepFiles, _| {
            let (room, shop) = (room.clone(), sweeping.clone());
            async move {
                let uploads = expire_uploads(&shop).await?;
                let swept = room.sweep(shop.now(), shop.rules.assets.grace, false, &|_| ()).await?;
                tracing::info!(
                    uploads,
                    released = swept.released,
                    unknown = swept.unknown,
                    staged = swept.staged,
                    "files swept"
                );
                Ok(())
            }
        })
        .on(move |_: SettleFiles, _| {
            let (waiting, handing, shop) = (waiting.clone(), handing.clone(), settling.clone());
            async move {
                let models = fail_lost_models(&shop, &*waiting).await?;
                let uploads = fail_lost_uploads(&shop, &handing).await?;
                if models + uploads > 0 {
                    tracing::warn!(models, uploads, "files whose jobs were given up have failed");
                }
                Ok(())
            }
        })
        .on(move |job: ProcessModel, _| {
            let (shop, workshop) = (modelling.clone(), workshop.clone());
            async move { Ok(process_model(&shop, &workshop, job).await?) }
        })
        .on(move |job: FinishUpload, _| {
            let (shop, finisher) = (finishing.clone(), finisher.clone());
            async move { Ok(finish_upload(&shop, &finisher, job).await?) }
        })
        .on(move |step: RerenderImages, id| {
            let (shop, gallery) = (rendering.clone(), gallery.clone());
            async move { Ok(rerender_images(&shop, &gallery, &step, id).await?) }
        }))
}
