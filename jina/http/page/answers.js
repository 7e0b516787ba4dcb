// Answers that people can read: Documents, and what went wrong.
import { h, plural, rows } from "./dom.js";

const MOST = 100; // Documents that are shown; all are in the raw answer
const APART = // fields that are not rows of the table
  "id text tags scores chunks matches embedding blob tensor buffer error evaluations granularity adjacency".split(" ");

export function documents(list, tag = "article") {
  const shown = list.slice(0, MOST).map((each) => document_(each, tag));
  return list.length > MOST ? [...shown, h("p", {}, `The raw JSON has ${list.length - MOST} more.`)] : shown;
}

export function picture(url, name) {
  return url.startsWith("data:image/") ? h("img", { src: url, alt: `Picture ${name}` }) : null;
}

export const bytesOf = (base64) => Math.floor((base64.replace(/=+$/, "").length * 3) / 4);

function document_(doc, tag) {
  if (!doc || typeof doc !== "object") return h(tag, { className: "card" }, JSON.stringify(doc));
  const scores = Object.entries(doc.scores ?? {}).map(([name, score]) => `${name} ${number(score?.value ?? score)}`);
  const type = doc.mime_type ?? doc.mimeType ?? "";
  const bytes = doc.buffer || (typeof doc.blob === "string" ? doc.blob : "");
  const seen = picture(doc.uri ?? "", doc.id);
  const tags = Object.entries(doc.tags ?? {}).filter(([key, value]) => value !== "" || !(key in doc));
  const tensors = ["embedding", "blob", "tensor"].filter((key) => doc[key] && typeof doc[key] === "object");
  const others = Object.entries(doc).filter(
    ([key, value]) => !APART.includes(key) && value && value.length !== 0 && !(seen && key === "uri"),
  );
  const facts = [...tags, ...tensors.map((key) => [key, tensor(doc[key])]), ...others];
  return h(tag, { className: tag === "li" ? "" : "card" },
    h("p", { className: "soft" }, [doc.id, ...scores].filter(Boolean).join("   ")),
    doc.error && failure(doc.error),
    seen,
    bytes && (picture(`data:${type};base64,${bytes}`, doc.id) ?? h("p", {}, `buffer: ${plural(bytesOf(bytes), "byte")}`)),
    doc.text && h("p", { className: "text" }, doc.text),
    rows(facts.map(([key, value]) => [key, value_(value)])),
    doc.matches?.length ? [h("h4", {}, plural(doc.matches.length, "match", "matches")), list(doc.matches)] : null,
    doc.chunks?.length ? h("details", {}, h("summary", {}, plural(doc.chunks.length, "chunk")), list(doc.chunks)) : null);
}

const list = (docs) => h("ol", { className: "matches" }, documents(docs, "li"));

const number = (value) =>
  typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(5))) : String(value);

function value_(value) {
  const text = typeof value === "string" ? value : typeof value === "object" ? JSON.stringify(value) : number(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

// Shape and first numbers, of nested lists or of {dtype, shape, data}.
function tensor(value) {
  if (!Array.isArray(value)) {
    const { dtype, shape, data } = value.dense ?? value;
    return [dtype, shape && `(${shape.join(" × ")})`, Array.isArray(data) && tensor(data)].filter(Boolean).join(" ");
  }
  const shape = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);
  const all = value.flat(Infinity);
  return `(${shape.join(" × ")}) ${all.slice(0, 6).map(number).join(", ")}${all.length > 6 ? ", …" : ""}`;
}

export function problem(message, hint, traceback) {
  return h("div", { className: "card bad", role: "alert" },
    h("p", { className: "doc" }, message),
    hint && h("p", {}, hint),
    traceback && h("details", {}, h("summary", {}, "Traceback"), h("pre", { tabIndex: 0 }, traceback)));
}

const failure = ({ type, message, hint, traceback, ...more }) =>
  problem([type, message ?? JSON.stringify(more)].filter(Boolean).join(": "), hint, traceback);

// What went wrong, in each of the shapes in which it is said.
export function problems(response, found, text) {
  if (found?.error) return [failure(found.error)];
  if (found?.detail) {
    return [found.detail].flat().map((each) => problem(each.loc ? `${each.loc.join(".")}: ${each.msg}` : each));
  }
  const routes = (found?.routes ?? []).map((route) => [route.pod ?? route.executor, route.status]);
  const bad = [...routes, ["", found?.status ?? found?.header?.status]]
    .filter(([, status]) => status?.exception || (status?.code && status.description))
    .map(([name, { description, exception }]) => {
      const said = exception?.name ? `${exception.name}: ${(exception.args ?? []).join(", ")}` : description;
      return problem([name, said].filter(Boolean).join(": "), "", exception?.stacks?.join(""));
    });
  if (response.ok || bad.length) return bad;
  return [problem(`${response.status} ${response.statusText}`, text.slice(0, 500))];
}
