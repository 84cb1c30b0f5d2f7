// Bundles every src/<name>/main.ts to <name>.js and every styles/<name>.css, with a hash in the file name,
// and writes manifest.json (plain name → hashed name) that portal.assets reads.
import { build, context } from "esbuild";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
const out = join(root, "../src/portal/static/build");
const entries = {};
for (const folder of readdirSync(join(root, "src"), { withFileTypes: true })) {
  const main = join(root, "src", folder.name, "main.ts");
  if (folder.isDirectory() && existsSync(main)) entries[folder.name] = main;
}
const styles = readdirSync(join(root, "styles")).filter((name) => name.endsWith(".css") && !name.startsWith("_"));

const manifest = {
  name: "manifest",
  setup(bundle) {
    bundle.onEnd((result) => {
      if (!result.metafile) return;
      const names = {};
      const kept = new Set();
      for (const [path, { entryPoint }] of Object.entries(result.metafile.outputs)) {
        kept.add(basename(path));
        if (!entryPoint) continue;
        const plain = entryPoint.endsWith(".css") ? basename(entryPoint) : `${basename(join(entryPoint, ".."))}.js`;
        names[plain] = basename(path);
      }
      const file = join(out, "manifest.json");
      writeFileSync(`${file}.new`, JSON.stringify(names, null, 1));
      renameSync(`${file}.new`, file);
      for (const old of readdirSync(out)) {
        if (kept.has(old) || old.startsWith("manifest.json") || old.startsWith(".")) continue;
        // Pages opened before this build still ask for the former files.
        if (Date.now() - statSync(join(out, old)).mtimeMs > 86_400_000) rmSync(join(out, old));
      }
    });
  },
};

mkdirSync(out, { recursive: true });
const options = {
  absWorkingDir: root,
  entryPoints: [
    ...Object.entries(entries).map(([name, path]) => ({ in: path, out: name })),
    ...styles.map((name) => ({ in: join(root, "styles", name), out: basename(name, ".css") })),
  ],
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16"],
  minify: true,
  metafile: true,
  charset: "utf8",
  legalComments: "none",
  external: ["/fonts/*"],
  entryNames: "[name].[hash]",
  chunkNames: "part.[hash]",
  plugins: [manifest],
  logLevel: "warning",
};
if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
  console.log("watching");
} else {
  await build(options);
}
