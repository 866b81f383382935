//! What a mistyped word was most likely meant to be.

/// The closest of `known`, if one is clearly closer to `word` than the others.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut ranked: Vec<_> = known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    let (distance, best) = *ranked.first()?;
    let near_enough = distance <= (word.chars().count() / 3).clamp(1, 3);
    let clearly = ranked.get(1).is_none_or(|(second, _)| *second > distance);
    (near_enough && clearly).then_some(best)
}

/// The nearest of `known` as a question, if one is clearly nearest.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// The nearest of `known` as a question, else all of them. `kind` is what they are, in the plural.
pub fn did_you_mean_or_all(word: &str, kind: &str, known: Vec<&str>) -> String {
    did_you_mean(word, known.iter().copied())
        .unwrap_or_else(|| format!("the {kind} are {}", crate::text::list(known)))
}
