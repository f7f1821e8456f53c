//! Whether the CRM has the stages that the settings name (product.md M8): asked once, before the first write of a stage.
//!
//! Salesforce keeps any text as a stage, and a stage that nobody defined is none that a seller can leave. In Dynamics 365 the
//! environment itself refuses a status that it does not have.

use super::crm::all;
use super::desk::{Desk, Trouble};
use crate::deal::Ending;
use crate::settings::CrmSettings;
use crate::system::opportunity::Stage;
use crate::system::salesforce;

/// Refuses a stage that the org does not have. An org whose stages cannot be read is not doubted.
pub(crate) async fn known(desk: &Desk, stage: Option<Stage>) -> Result<(), Trouble> {
    let (Some(stage), CrmSettings::Salesforce(settings)) = (stage, &desk.settings().crm) else {
        return Ok(());
    };
    let (name, setting) = match stage {
        Stage::OnHold => (&settings.on_hold_stage, "On-hold stage name"),
        Stage::Active => (&settings.active_stage, "Active stage name"),
        Stage::Closed(Ending::Won) => (&settings.won_stage, "won stage"),
        Stage::Closed(Ending::Lost) => (&settings.lost_stage, "lost stage"),
    };
    let stages = if let Some(stages) = desk.stages() {
        stages
    } else {
        let read = |body: &_| salesforce::read_stages(settings, body);
        let read = match all(desk, salesforce::stages(settings), read).await {
            Ok(stages) => stages,
            Err(Trouble::Refused { .. } | Trouble::Missing) => Vec::new(),
            Err(other) => return Err(other),
        };
        desk.keep_stages(read.clone());
        read
    };
    if stages.is_empty() || stages.iter().any(|known| known == name) {
        return Ok(());
    }
    // A person may add the stage: it is asked for again.
    desk.forget_stages();
    Err(Trouble::Refused {
        why: format!("the CRM has no stage `{name}`, which the setting `{setting}` names"),
        by: Some(crate::contract::System::Crm),
    })
}
