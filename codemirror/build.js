// velocity.js and the parts of CodeMirror that it takes in; static/velocity.js and their licences out. The same bytes each time.
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const out = process.argv[2] ?? "../static";
const { metafile, outputFiles } = await build({
  entryPoints: ["velocity.js"],
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none", // they stand in the file beside it
  metafile: true,
  write: false,
});
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.slice(1) ?? []),
);
const licences = await Promise.all(
  [...packages].sort().map(async (name) => {
    const { version, license } = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
    return `${name} ${version} (${license})\n\n${(await readFile(`node_modules/${name}/LICENSE`, "utf8")).trim()}\n`;
  }),
);
await writeFile(`${out}/velocity.js`, outputFiles[0].contents);
await writeFile(`${out}/velocity.LICENSES.txt`, licences.join(`\n${"-".repeat(80)}\n\n`));
