//! Documents of the Classic API: one tree that is written as XML or as JSON.

use serde_json::{Map, Value};

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A value: text, a number, a truth value.
    Value(Value),
    /// Named parts, in this order.
    Fields(Vec<(&'static str, Node)>),
    /// Parts of one kind, each under this name in XML.
    List(&'static str, Vec<Node>),
}

impl Node {
    /// A value.
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value(value.into())
    }

    /// Named parts.
    pub fn fields<const N: usize>(fields: [(&'static str, Self); N]) -> Self {
        Self::Fields(fields.into())
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Fields(fields) => {
                let pairs = fields.iter().map(|(name, node)| ((*name).to_owned(), node.json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
            Self::List(_, nodes) => nodes.iter().map(Self::json).collect(),
        }
    }

    /// As XML, with the declaration before it. The outermost part is to be one named part.
    pub fn xml(&self) -> String {
        let mut text = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Value(Value::Null) => {}
            Self::Value(Value::String(value)) => escape(value, text),
            Self::Value(value) => text.push_str(&value.to_string()),
            Self::Fields(fields) => {
                for (name, node) in fields {
                    element(name, node, text);
                }
            }
            Self::List(name, nodes) => {
                element("size", &Self::value(nodes.len()), text);
                for node in nodes {
                    element(name, node, text);
                }
            }
        }
    }
}

fn element(name: &str, node: &Node, text: &mut String) {
    for part in ["<", name, ">"] {
        text.push_str(part);
    }
    node.write(text);
    for part in ["</", name, ">"] {
        text.push_str(part);
    }
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tree_is_written_as_xml_and_as_json() {
        let user = Node::fields([
            ("id", Node::value(7)),
            ("name", Node::value("A & <B>")),
            ("position", Node::Value(Value::Null)),
        ]);
        let tree = Node::fields([("users", Node::List("user", vec![user]))]);
        assert_eq!(
            tree.xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><users><size>1</size><user><id>7</id>\
             <name>A &amp; &lt;B&gt;</name><position></position></user></users>"
        );
        assert_eq!(
            tree.json().to_string(),
            r#"{"users":[{"id":7,"name":"A & <B>","position":null}]}"#
        );
    }
}
