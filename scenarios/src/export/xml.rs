//! XML of an export as a read-only tree: no DTD and so no entities of its own, elements found without regard to case.

use roxmltree::{Document, Node, ParsingOptions};

/// The most nodes of one document.
const NODES_MAX: u32 = 2_000_000;

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| {
        if matches!(error, roxmltree::Error::DtdDetected) {
            "it declares a DTD, which no export does and which could hide entities; nothing of it is expanded"
                .to_owned()
        } else {
            format!("it is no whole XML: {error}")
        }
    })
}

/// The first child of that name.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| is(*child, name))
}

/// Whether a node is an element of that name.
pub(super) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

/// The text in the first child of that name; none when it is empty.
pub(super) fn text_in(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text: String = child(node, name)?
        .children()
        .filter(Node::is_text)
        .filter_map(|part| part.text())
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// An attribute, found without regard to case.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let found = node.attributes().find(|known| known.name().eq_ignore_ascii_case(name));
    found.map(|known| known.value())
}

/// A name that people see: the attribute `default` or the first label of a child.
pub(super) fn label(node: Node<'_, '_>, name: &str) -> Option<String> {
    let named = child(node, name)?;
    let first = named.children().find(|label| is(*label, "label"));
    let text = attribute(named, "default").or_else(|| attribute(first?, "description"));
    let text = text.map(str::to_owned).or_else(|| text_in(node, name));
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
