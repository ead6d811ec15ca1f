// The template editor: each textarea of a template gets CodeMirror beside it. The textarea stays what the form posts; what
// is typed here is written there at once. What the server said stands in the page: remarks with their lines in the slot
// under the textarea, the words of templates in #words (all of them) and #words-here (those of this method).
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { velocity } from "@codemirror/legacy-modes/mode/velocity";
import { forEachDiagnostic, setDiagnostics } from "@codemirror/lint";
import { EditorState, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";

const NONCE = document.querySelector("script[data-velocity]").nonce;
const at = (id) => document.getElementById(id);
const read = (id) => JSON.parse(at(id)?.textContent || "[]");

// ---- Words: lists of [name, what it gives, more]. A name is spelled as a template has it: "$util.urlEncode".
const WORDS = read("words");
const here = (textarea) => {
  const { request, response, parameters, variables } = read("words-here");
  return { paths: textarea.name.includes("response_templates") ? response : request, parameters, variables };
};
const option = ([label, detail, info], apply = label) => ({ label, detail, info, apply, type: "text" });
const own = (doc) =>
  [...new Set([...doc.matchAll(/#(?:set|foreach|define)\s*\(\s*\$!?\{?(\w+)/g)].map((found) => found[1]))].map((name) => [
    `$${name}`,
    "set in this template",
  ]);

const complete = (textarea) => (context) => {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const { paths, parameters, variables } = here(textarea);
  const quoted = before.match(/\$!?\{?input\.(path|json|params)\(\s*(["'])([^"']*)$/);
  if (quoted) {
    const from = context.pos - quoted[3].length;
    return { from, options: (quoted[1] === "params" ? parameters : paths).map((word) => option(word)), validFor: /^[^"']*$/ };
  }
  const reference = before.match(/\$(!?\{?)([A-Za-z][\w.]*)?$/);
  if (reference) {
    const [all, open, typed = ""] = reference;
    const depth = typed.lastIndexOf(".") + 1;
    const words = [...WORDS, ...variables, ...own(context.state.doc.toString())].filter(([name]) => name.startsWith("$"));
    const start = context.pos - all.length;
    return {
      from: start,
      filter: false,
      options: words
        .filter(([name]) => name.slice(1).toLowerCase().startsWith(typed.toLowerCase()) && (depth || !/\.\w+\./.test(name)))
        .map((word) => option(word, `$${open}${word[0].slice(1)}`)),
    };
  }
  const directive = before.match(/#\{?\w*$/);
  if (directive && (context.explicit || directive[0].length > 1)) {
    const start = context.pos - directive[0].length;
    return { from: start, options: WORDS.filter(([name]) => name.startsWith("#")).map((word) => option(word)), validFor: /^#\w*$/ };
  }
  return null;
};

const hover = (textarea) =>
  hoverTooltip((view, pos) => {
    const line = view.state.doc.lineAt(pos), { paths, parameters, variables } = here(textarea);
    const told = (pattern, group, words, whole) => {
      for (const found of line.text.matchAll(pattern)) {
        const start = line.from + found.index + (whole ? 0 : found[0].length - found[group].length);
        const end = line.from + found.index + found[0].length;
        if (pos < start || pos > end) continue;
        let name = (whole ? "$" : "") + found[group];
        for (; name; name = name.includes(".") && whole ? name.slice(0, name.lastIndexOf(".")) : "") {
          const word = words.find(([each]) => each === name);
          if (word) return { pos: start, end, word };
        }
      }
    };
    const found =
      told(/\$!?\{?input\.(?:path|json)\(\s*["']([^"']+)/g, 1, paths) ??
      told(/\$!?\{?input\.params\(\s*["']([^"']+)/g, 1, parameters) ??
      told(/\$!?\{?([A-Za-z][\w.]*)/g, 1, [...WORDS, ...variables], true) ??
      told(/(#\w+)/g, 1, WORDS);
    if (!found) return null;
    return {
      pos: found.pos,
      end: found.end,
      above: true,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "cm-told";
        for (const [index, tag] of ["code", "span", "p"].entries()) {
          if (!found.word[index]) continue;
          const part = dom.appendChild(document.createElement(tag));
          part.textContent = found.word[index];
        }
        return { dom };
      },
    };
  });

// ---- Remarks: those of the slot that name a line.
const LEVELS = { error: "error", warning: "warning" };
const remarks = (textarea, { doc }) =>
  [...(at(`m-${textarea.name.replace(/-value$/, "")}`)?.querySelectorAll("[data-line]") ?? [])].map((place) => {
    const line = doc.line(Math.min(Number(place.dataset.line), doc.lines));
    const from = Math.min(line.from + Number(place.dataset.column) - 1, line.to);
    const word = doc.sliceString(from, line.to).match(/^[#$]?!?\{?[\w.]+/)?.[0].length ?? 1;
    const item = place.closest("[data-level]");
    return {
      from,
      to: Math.min(from + word, line.to),
      severity: LEVELS[item.dataset.level] ?? "info",
      message: item.querySelector("b").textContent,
    };
  });
const faults = EditorView.decorations.of(({ state }) => {
  const lines = new Map(), builder = new RangeSetBuilder();
  forEachDiagnostic(state, ({ severity }, from) => {
    const line = state.doc.lineAt(from).from;
    if (lines.get(line) !== "error") lines.set(line, severity);
  });
  for (const [line, severity] of [...lines].sort(([one], [other]) => one - other))
    builder.add(line, line, Decoration.line({ attributes: { "data-level": severity } }));
  return builder.finish();
});

// ---- The line that wrote what somebody points at in the trace.
const light = StateEffect.define();
const lit = StateField.define({
  create: () => Decoration.none,
  update: (found, { effects, changes }) => {
    for (const effect of effects) if (effect.is(light)) return effect.value;
    return found.map(changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});
document.addEventListener("gatehouse:line", ({ detail: { field, line } }) => {
  for (const [id, view] of views) {
    const { doc } = view.state;
    const here = id === field && line > 0 && line <= doc.lines;
    const marks = here ? Decoration.set([Decoration.line({ class: "cm-lit" }).range(doc.line(line).from)]) : Decoration.none;
    view.dispatch({ effects: light.of(marks) });
  }
});

// ---- How it looks: the sheet's own tokens, so that themes and densities hold here too.
const inks = tagHighlighter([
  { tag: tags.keyword, class: "k" },
  { tag: tags.standard(tags.variableName), class: "nv" },
  { tag: tags.string, class: "s" },
  { tag: tags.number, class: "m" },
  { tag: tags.comment, class: "c" },
  { tag: tags.meta, class: "c" },
]);
const looks = EditorView.theme({
  "&": { fontSize: ".75rem", background: "var(--inset)", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "var(--code-l)", maxBlockSize: "30rem", minBlockSize: "4.5rem" },
  ".cm-content": { padding: "var(--s2) 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 var(--s3) 0 var(--s1)" },
  ".cm-gutters": { background: "var(--inset)", border: "0", color: "var(--ink-3)" },
  ".cm-lineNumbers .cm-gutterElement": { minInlineSize: "2rem", paddingInline: "var(--s1) var(--s2)" },
  ".cm-line[data-level=error]": { background: "var(--error-wash)", boxShadow: "inset 3px 0 var(--error)" },
  ".cm-line[data-level=warning]": { background: "var(--warning-wash)", boxShadow: "inset 3px 0 var(--warning)" },
  ".cm-line.cm-lit": { background: "var(--lit)", boxShadow: "inset 3px 0 var(--focus)" },
  ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy var(--error)", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warning)" },
  ".cm-lintRange-info": { textDecorationColor: "var(--info)" },
  ".cm-tooltip": {
    background: "var(--sheet)",
    color: "var(--ink)",
    border: "1px solid var(--line-2)",
    borderRadius: "var(--r2)",
    boxShadow: "var(--lift)",
    font: "400 var(--t2) var(--sans)",
    maxInlineSize: "min(30rem, 90vw)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxBlockSize: "15rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "var(--s1) var(--s2)", lineHeight: "1rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent-wash)", color: "var(--ink)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-completionDetail": { font: "400 var(--t2) var(--sans)", color: "var(--ink-3)" },
  ".cm-tooltip.cm-completionInfo": { padding: "var(--s2) var(--s3)" },
  ".cm-told": { display: "grid", gap: "var(--s1)", padding: "var(--s2) var(--s3)" },
  ".cm-told code": { overflowWrap: "anywhere" },
  ".cm-told span": { color: "var(--ink-3)", overflowWrap: "anywhere" },
  ".cm-diagnostic": { padding: "var(--s2) var(--s3)", borderInlineStart: "3px solid var(--error)" },
  ".cm-diagnostic-warning": { borderColor: "var(--warning)" },
  ".cm-diagnostic-info": { borderColor: "var(--info)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { background: "var(--lit)" },
});

// ---- A textarea and its editor.
const views = new Map();
const enhance = (textarea) => {
  const place = textarea.nextElementSibling;
  if (place.firstChild) return;
  const spoken = EditorView.contentAttributes.of({
    "aria-label": textarea.labels[0].textContent,
    "aria-describedby": textarea.getAttribute("aria-describedby"),
    "data-of": textarea.id,
    tabindex: "0", // it scrolls
  });
  let typed = false;
  const view = new EditorView({
    parent: place,
    state: EditorState.create({
      doc: textarea.value,
      extensions: [
        EditorView.cspNonce.of(NONCE),
        StreamLanguage.define(velocity),
        syntaxHighlighting(inks),
        looks,
        lineNumbers(),
        history(),
        bracketMatching(),
        faults,
        lit,
        EditorState.tabSize.of(4),
        autocompletion({ override: [complete(textarea)], icons: false, aboveCursor: false }),
        hover(textarea),
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap.filter(({ key }) => key !== "Mod-Enter")]),
        spoken,
        EditorView.updateListener.of((update) => {
          if (update.docChanged) {
            typed = true;
            textarea.value = update.state.doc.toString();
            textarea.dispatchEvent(new Event("input", { bubbles: true }));
          }
          if (update.focusChanged && !update.view.hasFocus && typed) {
            typed = false;
            textarea.dispatchEvent(new Event("change", { bubbles: true }));
          }
        }),
      ],
    }),
  });
  textarea.hidden = true;
  textarea.focus = () => view.focus(); // whatever leads to the field leads here
  views.set(textarea.id, view);
  view.dispatch(setDiagnostics(view.state, remarks(textarea, view.state)));
};
const all = () => {
  for (const [id, view] of views) {
    if (view.dom.isConnected) continue;
    view.destroy();
    views.delete(id);
  }
  for (const textarea of document.querySelectorAll("textarea.vtl")) enhance(textarea);
};
const refresh = (slot) => {
  const id = `${slot.id.slice(2)}-value`, view = views.get(id);
  if (view) view.dispatch(setDiagnostics(view.state, remarks(at(id), view.state)));
};
document.addEventListener("htmx:oobAfterSwap", ({ target }) => target.id.startsWith("m-") && refresh(target));
document.addEventListener("htmx:afterSettle", all);
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-line]"), view = views.get(link?.hash.slice(1));
  if (!view) return;
  event.preventDefault();
  const { doc } = view.state, line = doc.line(Math.min(Number(link.dataset.line), doc.lines));
  for (let details = view.dom.closest("details"); details; details = details.parentElement.closest("details")) details.open = true;
  const anchor = Math.min(line.from + Number(link.dataset.column) - 1, line.to);
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  view.focus();
});
all();
