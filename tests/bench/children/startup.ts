/** Opens a first socket with our API or with Deno's and ends; without either it only ends: `startup.ts ours|Deno|neither`. */

type Api = Pick<typeof Deno, "listenDatagram">;

const [which] = Deno.args;
if (which !== "neither") {
  const api: Api = which === "ours" ? await import("../../../mod.ts") as unknown as Api : Deno;
  api.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }).close();
}
