/** Quotes a name for DuckDB's SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Quotes a text for DuckDB's SQL, where a statement takes no parameter (DDL, table functions, options). */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A list of texts, as table functions such as `read_parquet` take it. */
export function literalList(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`
}

/** A path where DuckDB takes a glob, so that it stands for itself alone. */
export function escapedGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, '[$&]')
}
