//! CSV in and out: delimiters, quotes and line endings as a job has them.
//!
//! It knows no fields.

use csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};

use crate::salesforce::job::{LineEnding, Order, Sheet};

/// Reads a CSV with its head. The error is what the job says when it fails.
pub(super) fn read(raw: &[u8], order: &Order) -> Result<Sheet, String> {
    check_line_ending(raw, order.line_ending)?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(order.delimiter.1)
        .from_reader(raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw));
    let mut sheet = Sheet::new();
    for record in reader.records() {
        // Assumed: words.
        let record = record.map_err(|error| format!("InvalidBatch : the CSV cannot be read: {error}"))?;
        sheet.push(record.iter().map(str::to_owned).collect());
    }
    Ok(sheet)
}

/// The vendor refuses a CSV whose lines end otherwise than the job says (words from general knowledge).
fn check_line_ending(raw: &[u8], expected: LineEnding) -> Result<(), String> {
    let (mut quoted, mut before) = (false, 0);
    for &byte in raw {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted && (before == b'\r') != (expected == LineEnding::Crlf) => {
                return Err(format!(
                    "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {}",
                    expected.name()
                ));
            }
            _ => {}
        }
        before = byte;
    }
    Ok(())
}

/// Writes a CSV: every cell in quotes.
pub(super) fn write<'a>(rows: impl Iterator<Item = &'a Vec<String>>, order: &Order) -> Vec<u8> {
    let terminator = match order.line_ending {
        LineEnding::Lf => Terminator::Any(b'\n'),
        LineEnding::Crlf => Terminator::CRLF,
    };
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .delimiter(order.delimiter.1)
        .terminator(terminator)
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        // Writing into memory does not fail.
        drop(writer.write_record(row));
    }
    writer.into_inner().unwrap_or_default()
}
