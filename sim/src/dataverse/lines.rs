//! Product lines: what one comes to, and what the lines of a deal add up to.
//!
//! It stores nothing. Discounts of the whole deal, freight and prices from price lists are not simulated.

use super::amount::Amount;
use super::cell::Cell;
use super::error::Fault;
use super::guid::Guid;
use super::model::{Kind, Table, Via};
use super::payload::bounded;
use super::store::Store;

/// Fills what a row gets from product lines before it is stored: a line its amounts and its deal's currency, a deal whose
/// revenue the system calculates the revenue (dataverse.md section 6).
///
/// Assumed: the amount of a line is quantity times price, the extended amount takes the discount off and puts the tax on;
/// the calculated revenue is the total of the lines, and zero without any.
pub(super) fn settle(store: &Store, table: &Table, cells: &mut [Cell]) -> Result<(), Fault> {
    match table.logical.as_ref() {
        "opportunityproduct" => settle_line(store, table, cells),
        "opportunity" => {
            if cells[table.expect("isrevenuesystemcalculated")] == Cell::Bool(true) {
                let total = cells[table.expect("totalamount")].amount().unwrap_or(Amount::ZERO);
                cells[table.expect("estimatedvalue")] = Cell::Amount(total);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn settle_line(store: &Store, table: &Table, cells: &mut [Cell]) -> Result<(), Fault> {
    let deals = store.model().expect("opportunity");
    let deal = deal_of(table, cells).and_then(|deal| store.row(deals, deal));
    if let Some(deal) = deal {
        let currency = "_transactioncurrencyid_value";
        cells[table.expect(currency)] = deal.cells[deals.expect(currency)].clone();
    }
    let amount = |name: &str| cells[table.expect(name)].amount();
    let zero = |name: &str| amount(name).unwrap_or(Amount::ZERO);
    let base = amount("quantity")
        .zip(amount("priceperunit"))
        .map(|(count, price)| count.times(price));
    let extended = base.map(|base| base.minus(zero("manualdiscountamount")).plus(zero("tax")));
    for (name, amount) in [("baseamount", base), ("extendedamount", extended)] {
        let column = table.expect(name);
        cells[column] = amount.map_or(Ok(Cell::Null), |amount| money(table, column, amount))?;
    }
    Ok(())
}

/// An amount that was computed, within the bound of its column.
fn money(table: &Table, column: usize, amount: Amount) -> Result<Cell, Fault> {
    if let Kind::Money { bound } = table.columns[column].kind {
        bounded(table, &table.columns[column], amount, bound)
    } else {
        Ok(Cell::Amount(amount))
    }
}

/// Refuses a line whose price would have to be looked up.
pub(super) fn demands(table: &Table, cells: &[Cell]) -> Result<(), Fault> {
    let looked_up = table.logical == "opportunityproduct"
        && !cells[table.expect("_productid_value")].is_null()
        && cells[table.expect("ispriceoverridden")] != Cell::Bool(true);
    if looked_up {
        return Err(Fault::NotSimulated(
            "the price of a product from a price list (set `ispriceoverridden` and `priceperunit`)".to_owned(),
        ));
    }
    Ok(())
}

/// The deal to which a line belongs; none for rows of other tables.
pub(super) fn deal_of(table: &Table, cells: &[Cell]) -> Option<Guid> {
    let is_line = table.logical == "opportunityproduct";
    is_line
        .then(|| cells[table.expect("_opportunityid_value")].guid())
        .flatten()
}

/// What changes in a deal by its lines: their total, and the revenue when the system calculates it. Nothing when all is as it
/// was, or the deal has gone.
pub(super) fn totals(store: &Store, id: Guid) -> Result<Vec<(usize, Cell)>, Fault> {
    let (deals, lines) = (
        store.model().expect("opportunity"),
        store.model().expect("opportunityproduct"),
    );
    let Some(deal) = store.row(deals, id) else {
        return Ok(Vec::new());
    };
    let rows = store.related(lines, Via::Lookup(lines.expect("_opportunityid_value")), id);
    let extended = rows
        .iter()
        .filter_map(|line| line.cells[lines.expect("extendedamount")].amount());
    let column = deals.expect("totalamount");
    let total = if rows.is_empty() {
        Cell::Null
    } else {
        money(deals, column, extended.fold(Amount::ZERO, Amount::plus))?
    };
    if deal.cells[column] == total {
        return Ok(Vec::new());
    }
    let mut changes = vec![(column, total.clone())];
    if deal.cells[deals.expect("isrevenuesystemcalculated")] == Cell::Bool(true) {
        let revenue = total.amount().unwrap_or(Amount::ZERO);
        changes.push((deals.expect("estimatedvalue"), Cell::Amount(revenue)));
    }
    Ok(changes)
}
