//! Which column of a file is which field of a product.

use std::{collections::BTreeSet, fmt};

use super::Failure;

/// A field of a product that a column may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Sku,
    Name,
    Description,
    Price,
    PriceMinor,
    Stock,
    Category,
    Images,
    Status,
    Metadata,
}

/// Each field with the names it is known by, the best first. Names are compared in snake case.
const FIELDS: [(Field, &[&str]); 10] = [
    (Field::Sku, &["sku", "stock_code", "article_number", "item_number", "product_code"]),
    (Field::Name, &["name", "title", "product_name"]),
    (Field::Description, &["description", "summary"]),
    (Field::Price, &["price", "unit_price", "list_price"]),
    (Field::PriceMinor, &["price_minor"]),
    (Field::Stock, &["stock", "quantity", "qty", "inventory"]),
    (Field::Category, &["category", "category_path", "category_paths", "categories"]),
    (Field::Images, &["images", "image_urls", "image_url", "image"]),
    (Field::Status, &["status"]),
    (Field::Metadata, &["metadata"]),
];

/// Columns a description is made of when the file has none.
const DESCRIBING: [&str; 2] = ["medium", "dimensions"];

/// Columns named by hand: field, then column.
#[derive(Debug, Clone, Default)]
pub struct Overrides(Vec<(Field, String)>);

impl Overrides {
    /// Reads `field=column` for each.
    pub fn parse<'a>(given: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let mut read = Vec::new();
        for text in given {
            let known = || FIELDS.map(|(field, _)| field.to_string()).join(", ");
            let wrong = || format!("--column {text:?} must be FIELD=COLUMN, with one of the fields {}", known());
            let (field, column) = text.split_once('=').ok_or_else(wrong)?;
            let field = FIELDS.into_iter().map(|(field, _)| field).find(|known| known.to_string() == field);
            read.push((field.ok_or_else(wrong)?, column.to_owned()));
        }
        Ok(Self(read))
    }
}

/// The columns of one file, each with the field it fills. What is in none of them becomes metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    fields: Vec<(Field, String)>,
    describing: Vec<String>,
}

impl Columns {
    /// Finds the columns among the names a file has.
    ///
    /// # Errors
    /// When a column every product needs is missing or could be one of several.
    pub fn of(names: &BTreeSet<String>, overrides: &Overrides) -> Result<Self, Failure> {
        let mut columns = Self::default();
        for (field, column) in &overrides.0 {
            if !names.contains(column) {
                return Err(format!("--column {field}={column}: the file has the columns {}", list(names)).into());
            }
            columns.fields.push((*field, column.clone()));
        }
        for (field, aliases) in FIELDS {
            if columns.has(field) {
                continue;
            }
            let free: Vec<&String> = names.iter().filter(|name| columns.field(name).is_none()).collect();
            let found = aliases.iter().find_map(|alias| free.iter().find(|name| snake_case(name) == *alias));
            if let Some(found) = found {
                columns.fields.push((field, (*found).clone()));
            }
        }
        if !columns.has(Field::Price) && !columns.has(Field::PriceMinor) {
            columns.find_price(names)?;
        }
        columns.find_texts(names);
        for (needed, also) in [(Field::Sku, None), (Field::Name, None), (Field::Price, Some(Field::PriceMinor))] {
            if !columns.has(needed) && !also.is_some_and(|also| columns.has(also)) {
                return Err(format!(
                    "no column for the {needed}: the file has {}; name one with --column {needed}=COLUMN",
                    list(names)
                )
                .into());
            }
        }
        Ok(columns)
    }

    /// A single column with the word price in its name is the price.
    fn find_price(&mut self, names: &BTreeSet<String>) -> Result<(), Failure> {
        let speaks_of_price = |name: &&String| snake_case(name).split('_').any(|word| word == "price");
        let found: Vec<&String> = names.iter().filter(speaks_of_price).collect();
        match found.as_slice() {
            [] => Ok(()),
            [name] => {
                let minor = snake_case(name).ends_with("_minor");
                self.fields.push((if minor { Field::PriceMinor } else { Field::Price }, (*name).clone()));
                Ok(())
            }
            several => {
                let several = several.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
                Err(format!("the price could be any of {several}; say which with --column price=COLUMN").into())
            }
        }
    }

    /// A file without names has them in its description; one without descriptions may have parts of them.
    fn find_texts(&mut self, names: &BTreeSet<String>) {
        if !self.has(Field::Name)
            && let Some(place) = self.fields.iter_mut().find(|(field, _)| *field == Field::Description)
        {
            place.0 = Field::Name;
        } else if !self.has(Field::Description) {
            let describing = DESCRIBING.iter().filter_map(|part| names.iter().find(|name| snake_case(name) == *part));
            self.describing = describing.cloned().collect();
        }
    }

    fn has(&self, field: Field) -> bool {
        self.fields.iter().any(|(known, _)| *known == field)
    }

    /// The field a column fills.
    pub fn field(&self, column: &str) -> Option<Field> {
        self.fields.iter().find(|(_, name)| name == column).map(|(field, _)| *field)
    }

    /// The columns a description is made of; they stay metadata too.
    pub fn describing(&self) -> &[String] {
        &self.describing
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (field, column) in &self.fields {
            write!(f, "{field}={column} ")?;
        }
        if !self.describing.is_empty() {
            write!(f, "description={} ", self.describing.join("+"))?;
        }
        f.write_str("metadata=the rest")
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Description => "description",
            Self::Price => "price",
            Self::PriceMinor => "price_minor",
            Self::Stock => "stock",
            Self::Category => "category",
            Self::Images => "images",
            Self::Status => "status",
            Self::Metadata => "metadata",
        })
    }
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// `Price Minor`, `price-minor` and `priceMinor` are `price_minor`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for c in name.trim().chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && after_lower {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else if !snake.ends_with('_') {
            snake.push('_');
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str], overrides: &[&str]) -> Result<String, String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let overrides = Overrides::parse(overrides.iter().copied()).map_err(|error| error.to_string())?;
        Columns::of(&names, &overrides).map(|columns| columns.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn common_files_need_no_words() {
        let museum = ["sku", "name", "brand", "medium", "dimensions", "category_paths", "synthetic_price_minor"];
        assert_eq!(
            columns(&museum, &[]).unwrap(),
            "sku=sku name=name category=category_paths price_minor=synthetic_price_minor description=medium+dimensions metadata=the rest"
        );
        assert_eq!(
            columns(&["stock_code", "description", "median_price_gbp", "lines"], &[]).unwrap(),
            "sku=stock_code name=description price=median_price_gbp metadata=the rest"
        );
        assert!(columns(&["SKU", "Product Name", "unitPrice"], &[]).unwrap().contains("price=unitPrice"));
    }

    #[test]
    fn a_column_named_by_hand_wins() {
        let found = columns(&["sku", "name", "label", "price"], &["name=label"]).unwrap();
        assert!(found.contains("name=label") && !found.contains("name=name"), "{found}");
        assert!(
            columns(&["sku", "name", "price"], &["name=nothing"]).unwrap_err().contains("the file has the columns")
        );
        assert!(columns(&["sku", "name", "price"], &["colour=x"]).unwrap_err().contains("FIELD=COLUMN"));
    }

    #[test]
    fn what_is_missing_or_unclear_is_told_with_the_remedy() {
        assert!(columns(&["name", "price"], &[]).unwrap_err().contains("--column sku=COLUMN"));
        let unclear = columns(&["sku", "name", "price_eur", "price_gbp"], &[]).unwrap_err();
        assert!(unclear.contains("price_eur, price_gbp"), "{unclear}");
    }
}
