//! `$filter`: comparisons, `in`, `startswith`, joined by `and`, `or`, `not`.

use serde_json::Value;

use super::error::GraphError;

/// A condition on an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Compare(String, Comparison, Value),
    In(String, Vec<Value>),
    StartsWith(String, String),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, depth: 0 };
        let filter = parser.either()?;
        match parser.tokens {
            [] => Ok(filter),
            [token, ..] => Err(invalid(&format!("{token:?} is not expected"))),
        }
    }

    /// Whether an object meets it.
    pub(super) fn meets(&self, object: &Value) -> bool {
        match self {
            Self::Compare(name, comparison, wanted) => comparison.holds(find(object, name), wanted),
            Self::In(name, wanted) => {
                let value = find(object, name);
                wanted.iter().any(|wanted| Comparison::Equal.holds(value, wanted))
            }
            Self::StartsWith(name, start) => find(object, name)
                .as_str()
                .is_some_and(|text| text.to_lowercase().starts_with(&start.to_lowercase())),
            Self::Not(inner) => !inner.meets(object),
            Self::And(left, right) => left.meets(object) && right.meets(object),
            Self::Or(left, right) => left.meets(object) || right.meets(object),
        }
    }

    /// The only value that a property can have, where the filter says so.
    pub(super) fn only(&self, property: &str) -> Option<&str> {
        match self {
            Self::Compare(name, Comparison::Equal, value)
                if name.eq_ignore_ascii_case(property) =>
            {
                value.as_str()
            }
            Self::And(left, right) => left.only(property).or_else(|| right.only(property)),
            _ => None,
        }
    }

    /// Every property that it names.
    pub(super) fn properties(&self) -> Vec<&str> {
        match self {
            Self::Compare(name, ..) | Self::In(name, _) | Self::StartsWith(name, _) => vec![name],
            Self::Not(inner) => inner.properties(),
            Self::And(left, right) | Self::Or(left, right) => {
                [left.properties(), right.properties()].concat()
            }
        }
    }
}

fn find<'a>(object: &'a Value, name: &str) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    let Some(object) = object.as_object() else { return NOTHING };
    object
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map_or(NOTHING, |(_, value)| value)
}

impl Comparison {
    fn holds(self, value: &Value, wanted: &Value) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = match (value, wanted) {
            (Value::String(value), Value::String(wanted)) => {
                Some(value.to_lowercase().cmp(&wanted.to_lowercase()))
            }
            (Value::Number(value), Value::Number(wanted)) => {
                value.as_f64().partial_cmp(&wanted.as_f64())
            }
            _ => (value == wanted).then_some(Equal),
        };
        match self {
            Self::Equal => order == Some(Equal),
            Self::NotEqual => order != Some(Equal),
            Self::Less => order == Some(Less),
            Self::LessOrEqual => matches!(order, Some(Less | Equal)),
            Self::Greater => order == Some(Greater),
            Self::GreaterOrEqual => matches!(order, Some(Greater | Equal)),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Text(String),
    Word(String),
}

fn invalid(why: &str) -> GraphError {
    GraphError::bad_request(format!("Invalid filter clause: {why}."))
}

fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => quoted(rest)?,
            _ => {
                let end = |letter: char| letter.is_whitespace() || "(),'".contains(letter);
                let length = rest.find(end).unwrap_or(rest.len());
                (Token::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// A text in quotes, in which a doubled quote stands for one; and its length.
fn quoted(text: &str) -> Result<(Token, usize), GraphError> {
    let mut inside = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != '\'' {
            inside.push(letter);
        } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
            inside.push('\'');
        } else {
            return Ok((Token::Text(inside), at + 1));
        }
    }
    Err(invalid("a text does not end"))
}

/// How deep conditions may be nested.
const DEPTH: usize = 20;

struct Parser<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Filter, GraphError> {
        let mut left = self.both()?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Filter, GraphError> {
        let mut left = self.one()?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, GraphError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(invalid("it is nested too deep"));
        }
        let filter = self.condition();
        self.depth -= 1;
        filter
    }

    fn condition(&mut self) -> Result<Filter, GraphError> {
        if self.word("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        match self.next()? {
            Token::Open => {
                let inside = self.either()?;
                self.expect(&Token::Close)?;
                Ok(inside)
            }
            Token::Word(name) if name.eq_ignore_ascii_case("startswith") => {
                self.expect(&Token::Open)?;
                let property = self.name()?;
                self.expect(&Token::Comma)?;
                let start = self.literal()?.as_str().unwrap_or_default().to_owned();
                self.expect(&Token::Close)?;
                Ok(Filter::StartsWith(property, start))
            }
            Token::Word(name) => self.comparison(name),
            other => Err(invalid(&format!("{other:?} is not expected"))),
        }
    }

    fn comparison(&mut self, name: String) -> Result<Filter, GraphError> {
        if self.word("in") {
            self.expect(&Token::Open)?;
            let mut wanted = vec![self.literal()?];
            while self.tokens.first() == Some(&Token::Comma) {
                self.expect(&Token::Comma)?;
                wanted.push(self.literal()?);
            }
            self.expect(&Token::Close)?;
            return Ok(Filter::In(name, wanted));
        }
        let comparison = match self.name()?.as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            other => return Err(invalid(&format!("{other} is no operator"))),
        };
        Ok(Filter::Compare(name, comparison, self.literal()?))
    }

    fn literal(&mut self) -> Result<Value, GraphError> {
        match self.next()? {
            Token::Text(text) => Ok(Value::String(text)),
            Token::Word(word) => Ok(match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                // Numbers, and dates and identifiers, which are written without quotes.
                _ => match word.parse::<serde_json::Number>() {
                    Ok(number) => Value::Number(number),
                    Err(_) => Value::String(word),
                },
            }),
            other => Err(invalid(&format!("{other:?} is no value"))),
        }
    }

    fn name(&mut self) -> Result<String, GraphError> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(invalid(&format!("{other:?} is no name"))),
        }
    }

    fn next(&mut self) -> Result<Token, GraphError> {
        let (first, rest) = self.tokens.split_first().ok_or_else(|| invalid("it ends early"))?;
        self.tokens = rest;
        Ok(first.clone())
    }

    fn expect(&mut self, token: &Token) -> Result<(), GraphError> {
        let next = self.next()?;
        if next == *token { Ok(()) } else { Err(invalid(&format!("{next:?} is not expected"))) }
    }

    fn word(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((Token::Word(own), rest)) if own.eq_ignore_ascii_case(word) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_mean_what_they_say() {
        let object = json!({ "name": "O'Neill", "accountEnabled": true, "n": 5, "none": null,
            "at": "2026-11-21T10:00:00Z" });
        for (filter, expected) in [
            ("name eq 'o''neill'", true),
            ("accountEnabled eq false", false),
            ("n ge 5 and n lt 6", true),
            ("n gt 5 or accountEnabled eq true", true),
            ("not (n eq 5)", false),
            ("none eq null", true),
            ("none ne null", false),
            ("missing eq null", true),
            ("name in ('x', 'O''Neill')", true),
            ("startswith(name,'o''n')", true),
            ("at ge 2026-11-21T00:00:00Z", true),
            ("n eq 1 and n eq 2 or n eq 5", true),
        ] {
            assert_eq!(Filter::parse(filter).unwrap().meets(&object), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in
            ["", "n eq", "n is 5", "(n eq 5", "n eq 5)", "'n' eq 5", "n eq 'x", "n eq 5 5"]
        {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn a_single_wanted_value_is_known_without_looking_at_objects() {
        let filter = Filter::parse("azureADDeviceId eq 'x' and n eq 5").unwrap();
        assert_eq!(filter.only("azureADDeviceId"), Some("x"));
        assert_eq!(Filter::parse("a eq 'x' or b eq 'y'").unwrap().only("a"), None);
    }

    proptest! {
        #[test]
        fn no_filter_stops_the_service(text in ".{0,200}") {
            drop(Filter::parse(&text));
            drop(Filter::parse(&"(".repeat(text.len() * 50)));
        }
    }
}
