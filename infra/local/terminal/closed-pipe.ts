/** Ignores that the reader of the output, such as `head`, closes the pipe early. The command still finishes its work. */
export function ignoreClosedPipe(out: NodeJS.WriteStream): void {
  out.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
