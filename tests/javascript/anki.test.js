// @ts-nocheck
import assert from "node:assert/strict";
import test from "node:test";

import { ankiFile, formula } from "../../docs/assets/reader/anki.js";

test("a file has Anki's header, then a line for each card", () => {
  const file = ankiFile([
    {
      id: "llm-1-a",
      front: 'a "b"\tc',
      back: "<p>one</p>\n<p>two</p>",
      tags: ["x", "y"],
    },
    { id: "llm-1-b", front: "#b", back: "é", tags: [] },
  ]);
  const lines = file.split("\n");
  assert.deepEqual(lines.slice(0, 6), [
    "#separator:tab",
    "#html:true",
    "#deck:Daybook",
    "#columns:Front\tBack\tTags\tGuid",
    "#tags column:3",
    "#guid column:4",
  ]);
  assert.deepEqual(lines.slice(6), [
    '"a ""b"" c"\t"<p>one</p> <p>two</p>"\t"x y"\t"llm-1-a"',
    '"#b"\t"é"\t""\t"llm-1-b"',
    "",
  ]);
});

test("formulas are in the marks that MathJax looks for", () => {
  assert.equal(formula("x^2", false), "\\(x^2\\)");
  assert.equal(formula("x^2", true), "\\[x^2\\]");
});
