// The request of the form as a line or a program that can be copied.

export const FILE = "\uE000"; // the content of a file, as base64, in a body that is shown

const quoted = (text) => (/^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const json = JSON.stringify;

// A shell line that prints JSON, with the file's content in it.
function printed(value, file) {
  const pattern = json(value).replaceAll("\\", "\\\\").replaceAll("%", "%%").replaceAll(FILE, "%s");
  return `printf ${quoted(`${pattern}\\n`)} "$(base64 < ${quoted(file)} | tr -d '\\n')" |\n  `;
}

// JSON as the literal of a program, with the file's content in its place.
const literal = (value) => json(value).replaceAll(`"${FILE}"`, "content").replaceAll(`${FILE}"`, '" + content');

const PYTHON = { true: "True", false: "False", null: "None" };
const python = (text) => text.replace(/"(\\.|[^"\\])*"|true|false|null/g, (word) => PYTHON[word] ?? word);

// Each gets {url, method, needsKey, flow, endpoint, body, file}; `file` is a name or "".
export const TOOLS = {
  curl({ url, method, needsKey, body, file }) {
    const key = needsKey ? '-H "Authorization: Bearer $JINA_API_KEY" ' : "";
    const how = method === "POST" ? "" : `-X ${method} `;
    const line = `curl ${how}${quoted(url)} ${key}-H 'Content-Type: application/json' -d `;
    return file ? `${printed(body, file)}${line}@-` : line + quoted(json(body));
  },

  "jina post"({ flow, endpoint, body, file }) {
    const parameters = body.parameters ? ` --parameters ${quoted(json(body.parameters))}` : "";
    const line = `jina post ${quoted(endpoint)} --flow ${quoted(flow)}${parameters}`;
    if (file) return printed(body.data[0], file) + line;
    if (body.data.every((each) => Object.keys(each).join() === "text")) {
      return line + body.data.map((each) => ` --text ${quoted(each.text)}`).join("");
    }
    return `printf '%s\\n' ${body.data.map((each) => quoted(json(each))).join(" ")} |\n  ${line}`;
  },

  Python({ url, method, needsKey, body, file }) {
    const imports = [file && "base64", "json", needsKey && "os", "urllib.request"].filter(Boolean).join(", ");
    const read = `content = base64.b64encode(open(${json(file)}, "rb").read()).decode()\n`;
    const key = needsKey ? '\n     "Authorization": "Bearer " + os.environ["JINA_API_KEY"]' : "";
    return `import ${imports}

${file ? read : ""}body = ${python(literal(body))}
request = urllib.request.Request(
    ${json(url)},
    json.dumps(body).encode(),
    {"Content-Type": "application/json"${key && `,${key}`}},
    method=${json(method)},
)
print(json.load(urllib.request.urlopen(request)))`;
  },

  JavaScript({ url, method, needsKey, body, file }) {
    const read = `import { readFileSync } from "node:fs";

const content = readFileSync(${json(file)}, "base64");
`;
    const key = needsKey ? ', Authorization: "Bearer " + process.env.JINA_API_KEY' : "";
    return `${file ? read : ""}const response = await fetch(${json(url)}, {
  method: ${json(method)},
  headers: { "Content-Type": "application/json"${key} },
  body: JSON.stringify(${literal(body)}),
});
console.log(await response.json());`;
  },
};
