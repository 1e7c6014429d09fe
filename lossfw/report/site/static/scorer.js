// Scores of the search: Sphinx gives all pages with the words of a query the same score, by title.
const LISTS = ["reference/components", "reference/changelog", "explanation/in-the-wild"];

// The name and the entries are those that Sphinx reads; its own numbers but for `score`.
var Scorer = {
  score: ([docname, , , , score]) => {
    if (LISTS.includes(docname)) return score - 3; // a list of everything has each word
    // Among pages that only have the words, one that tells how comes first.
    return score <= Scorer.term && docname.startsWith("how-to/") ? score + 1 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
