// The inputs of a large map as points drawn by WebGL 2, with the look of the canvas: discs with soft edges, dimmed ones
// below. One context serves all maps of the page, for a browser has only a few; what it draws is copied into the map's own
// canvas, so that names, lines, clicks and saved pictures are the same either way.

/** Maps with more inputs than this are drawn here. */
export const MANY = 10_000;

/** What is drawn; it is sent to the graphics card again when its key is another one. */
export interface Cloud {
  key: string;
  n: number;
  /** x and y alternating, between -1 and 1. */
  places: Float32Array;
  colour: (i: number) => string;
  dim: (i: number) => boolean;
  /** Colour of the dimmed ones. */
  faint: string;
}

/** How it is looked at: sizes in pixels of the page, of which the screen has `scale` each. */
export interface Look {
  size: number;
  scale: number;
  zoom: number;
  centre: [number, number];
  radius: number;
}

/** Share of the map's half width that a coordinate of 1 stands for. */
export const SPAN = 0.94;
export const OPACITY = { bright: 0.88, dim: 0.35 };

/** Whether a map of n inputs is drawn by WebGL: by their number, or as `?points=webgl` or `?points=canvas` in the address says. */
export function wantsWebgl(n: number, search: string): boolean {
  const asked = new URLSearchParams(search).get("points");
  return asked === "webgl" || (asked !== "canvas" && n > MANY);
}

/** Red, green and blue of `#rrggbb`, `#rgb` or `rgb(r, g, b)`; grey for anything else. */
export function rgb(css: string): [number, number, number] {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(css);
  const long = short ?? /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(css);
  if (long) return [1, 2, 3].map((k) => parseInt(short ? long[k] + long[k] : long[k], 16)) as [number, number, number];
  const parts = /^rgb\((\d+)[ ,]+(\d+)[ ,]+(\d+)\)$/.exec(css);
  return parts ? [Number(parts[1]), Number(parts[2]), Number(parts[3])] : [128, 128, 128];
}

/** Places and colours (with their opacity, 0 to 255) in the order of drawing: dimmed inputs first. */
export function ordered(cloud: Cloud): { places: Float32Array; colours: Uint8Array } {
  const { n } = cloud;
  const [places, colours] = [new Float32Array(2 * n), new Uint8Array(4 * n)];
  const known = new Map<string, [number, number, number]>();
  let at = 0;
  for (const pass of [true, false]) {
    const alpha = Math.round(255 * (pass ? OPACITY.dim : OPACITY.bright));
    for (let i = 0; i < n; i++) {
      if (cloud.dim(i) !== pass) continue;
      const css = pass ? cloud.faint : cloud.colour(i);
      let colour = known.get(css);
      if (!colour) known.set(css, (colour = rgb(css)));
      places[2 * at] = cloud.places[2 * i];
      places[2 * at + 1] = cloud.places[2 * i + 1];
      colours.set([colour[0], colour[1], colour[2], alpha], 4 * at);
      at++;
    }
  }
  return { places, colours };
}

const VERTEX = `#version 300 es
in vec2 place;
in vec4 colour;
uniform vec2 centre;
uniform float zoom, radius;
out vec4 ink;
void main() {
  gl_Position = vec4(zoom * (place - centre), 0.0, 1.0);
  gl_PointSize = 2.0 * radius + 1.0;
  ink = colour;
}`;

// A disc whose edge fades over one pixel.
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 ink;
uniform float radius;
out vec4 seen;
void main() {
  float distance = length(gl_PointCoord - 0.5) * (2.0 * radius + 1.0);
  float alpha = ink.a * clamp(radius + 0.5 - distance, 0.0, 1.0);
  seen = vec4(ink.rgb * alpha, alpha);
}`;

export class Points {
  /** Key of the cloud that the graphics card holds. */
  private sent = "";
  private readonly buffers = new Map<string, WebGLBuffer | null>();

  private constructor(
    private readonly gl: WebGL2RenderingContext, private readonly canvas: HTMLCanvasElement, private readonly program: WebGLProgram) {}

  /** None where the browser has no WebGL 2. */
  static make(): Points | null {
    const canvas = document.createElement("canvas");
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, premultipliedAlpha: true });
    const program = gl && build(gl);
    return gl && program ? new Points(gl, canvas, program) : null;
  }

  /** Draws into the context of a map; false where the graphics card has been lost. */
  draw(into: CanvasRenderingContext2D, cloud: Cloud, look: Look): boolean {
    const { gl, canvas, program } = this;
    if (gl.isContextLost()) return false;
    const pixels = Math.round(look.size * look.scale);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    gl.viewport(0, 0, pixels, pixels);
    if (this.sent !== cloud.key) {
      const { places, colours } = ordered(cloud);
      this.send("place", places, 2, gl.FLOAT);
      this.send("colour", colours, 4, gl.UNSIGNED_BYTE);
      this.sent = cloud.key;
    }
    gl.uniform2f(gl.getUniformLocation(program, "centre"), ...look.centre);
    gl.uniform1f(gl.getUniformLocation(program, "zoom"), SPAN * look.zoom);
    gl.uniform1f(gl.getUniformLocation(program, "radius"), look.radius * look.scale);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArrays(gl.POINTS, 0, cloud.n);
    into.drawImage(canvas, 0, 0, look.size, look.size);
    return true;
  }

  /** Sends the values of an attribute; bytes become numbers between 0 and 1. */
  private send(name: string, values: Float32Array | Uint8Array, size: number, type: number): void {
    const { gl, buffers } = this;
    if (!buffers.has(name)) buffers.set(name, gl.createBuffer());
    const at = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers.get(name) ?? null);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, type, type === gl.UNSIGNED_BYTE, 0, 0);
  }
}

/** The program, in use; none where it cannot be built. */
function build(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return program;
}

let shared: Points | null | undefined;

/** The one drawer of the page, made when it is first wanted. */
export function points(): Points | null {
  if (shared === undefined) shared = Points.make();
  return shared;
}
