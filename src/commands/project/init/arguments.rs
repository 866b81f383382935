//! The values of the options of `shipit init`.

use crate::model::{Name, Publish, Reference};

/// A name and what it stands for.
pub type Pair = (String, String);

/// `NAME=ADDRESS`.
pub fn pair(text: &str) -> Result<Pair, String> {
    let pair = text.split_once('=');
    let pair = pair.map(|(name, address)| (name.trim(), address.trim()));
    match pair.filter(|(name, address)| !name.is_empty() && !address.is_empty()) {
        Some((name, address)) => Ok((name.to_owned(), address.to_owned())),
        None => Err("expected NAME=ADDRESS, such as `web-1=10.0.0.11`".to_owned()),
    }
}

/// `NAME=IMAGE`.
pub fn recipe(text: &str) -> Result<(Name, String), String> {
    let (name, image) = text
        .split_once('=')
        .ok_or("expected NAME=IMAGE, such as `web=nginx:1.27`")?;
    let name = name.trim().parse::<Name>().map_err(|it| it.to_string())?;
    let image = image.trim();
    Reference::checked(image).map_err(|why| format!("`{image}` is not an image: {why}"))?;
    Ok((name, image.to_owned()))
}

/// `RECIPE=PORT`.
pub fn publish(text: &str) -> Result<(Name, String), String> {
    let (name, port) = text
        .split_once('=')
        .ok_or("expected RECIPE=PORT, such as `web=8080:80`")?;
    let name = name.trim().parse::<Name>().map_err(|it| it.to_string())?;
    Ok((name, ports(port.trim())?))
}

/// A port, or a range of them, as docker writes it.
pub fn ports(text: &str) -> Result<String, String> {
    match Publish::each(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(wrong) => Err(match wrong.hint {
            Some(hint) => format!("{}; {hint}", wrong.fact),
            None => wrong.fact,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pair_is_told_how_one_looks() {
        let said = |why: Result<(Name, String), String>| why.expect_err("it is wrong");
        assert_eq!(
            pair("web-1"),
            Err("expected NAME=ADDRESS, such as `web-1=10.0.0.11`".to_owned())
        );
        assert!(said(recipe("web=")).contains("is not an image"));
        assert!(said(recipe("a b=nginx")).contains("is not a name"));
        assert!(said(publish("web=http")).contains("http"));
        let host = ("a".to_owned(), "b=c".to_owned());
        assert_eq!(pair(" a = b=c "), Ok(host));
    }
}
