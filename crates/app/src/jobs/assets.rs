//! What the background does with files: takes out what nobody holds, examines models, renders pictures, hands uploads over.

use domain::{
    Result, Shop,
    assets::{
        SweepFiles,
        image::{Gallery, RerenderImages, rerender_images},
        models::{ProcessModel, process_model},
        uploads::{FinishUpload, Finisher, expire_uploads, finish_upload},
    },
};

use crate::{config::Config, files, foundation::Foundation, models, workers::jobs::Handlers};

/// The handlers of these kinds.
pub(super) fn handlers(foundation: &Foundation, config: &Config, shop: &Shop, gallery: Gallery) -> Result<Handlers> {
    let room = files::storeroom(config, foundation)?;
    let workshop = models::workshop(config, &room);
    let finisher = Finisher { workshop: workshop.clone(), users: foundation.database.users() };
    let (sweeping, modelling, finishing, rendering) = (shop.clone(), shop.clone(), shop.clone(), shop.clone());
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
