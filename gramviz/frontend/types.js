// The types that modules share, for `tsc`; nothing here runs, and the linker never sees it.

// ------------------------------------------------------------------------------------------------------------ numbers
/** [x, y] on screen, or [right, down] in degrees. @typedef {[number, number]} Pair */
/** [x, y, z] in the basis of a map. @typedef {[number, number, number]} Vector */
/** @typedef {{ x: number, y: number, width: number, height: number }} Box */
/** A trajectory in the state: [letter of its series, index]. @typedef {[string, number]} Trajectory */
/** A trajectory with its series. @typedef {[Series, number]} Who */

// ------------------------------------------------------------------------------------------------------------ contract
/**
 * The part of JSON Schema that gramviz.contract describes.
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {Schema[]} [anyOf]
 * @property {unknown[]} [enum]
 * @property {string} [type]
 * @property {number} [minimum]
 * @property {string} [pattern]
 * @property {Schema} [items]
 * @property {Schema[]} [prefixItems]
 * @property {number} [minItems]
 * @property {number} [maxItems]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {string} [description]
 */

// --------------------------------------------------------------------------------------------------------------- state
/** @typedef {{ kind: "lasso", plane: number, points: Pair[] } | { kind: "box", lane: string, x: Pair, y: Pair }} Brush
 */
/** Where the map is looked at from: shifts in shares of the plane's box, and the zoom.
 * @typedef {{ x: number, y: number, k: number }} Camera */
/**
 * What an explorer shows, saved and undoable; `contract.json` says what each key allows.
 * @typedef {object} State
 * @property {number} v
 * @property {number} puzzle
 * @property {{ step: number, low: number | null }} cursor
 * @property {Trajectory} focus
 * @property {Trajectory | null} pinned
 * @property {Record<string, number[]>} selected
 * @property {string[]} hidden
 * @property {number[]} cells
 * @property {number | null} token
 * @property {Brush | null} brush
 * @property {Pair | null} range
 * @property {string} board
 * @property {string} color_by
 * @property {"final" | "cursor"} answers_at
 * @property {string | null} basis
 * @property {number} dims
 * @property {Camera | null} camera
 * @property {Pair | null} turn
 * @property {string[]} layers
 * @property {string[]} lanes
 * @property {number} speed
 * @property {boolean} loop
 * @property {"auto" | "light" | "dark"} theme
 * @property {"auto" | "calm"} motion
 * @property {string} panel
 * @property {string[] | null} folded
 * @property {{ board?: number, answers?: number, curves?: number }} sizes
 * @property {string[]} tall
 * @property {"puzzles" | "samples" | null} sheet what lies over the panels
 * @property {string} puzzles_by
 * @property {string} samples_by
 * @property {number | null} chapter
 */
/**
 * Keys that depend on the payload, each with what makes a value fit it.
 * @typedef {{ [key in keyof State]?: (value: State[key]) => State[key] }} StateRules
 */
/**
 * What the pointer, or an arrow key, is on; which of these are set depends on the part.
 * @typedef {object} Hover
 * @property {string} [part]
 * @property {Trajectory} [trajectory]
 * @property {Trajectory} [preview] the trajectory whose board is shown meanwhile
 * @property {Record<string, number[]>} [members] the trajectories of a lane or a place, by letter
 * @property {(number | null)[]} [answers] null is that of boards on the way to one
 * @property {number} [cell]
 * @property {number} [step]
 * @property {string} [note] a sentence for the details line
 * @property {string} [lane] the curve of the lane
 * @property {number} [x] px in the lane
 */

// ------------------------------------------------------------------------------------------------------------- payload
/** @typedef {{ label: string, symbol: string, glyph: string }} Token */
/**
 * @typedef {object} BoardMeta a board as `gram.board.Board.to_json` writes it
 * @property {"grid" | "graph" | "image"} kind
 * @property {number} height
 * @property {number} width
 * @property {Token[]} tokens
 * @property {number[]} [blank]
 * @property {number[]} [exclusive]
 * @property {number[][]} [groups]
 * @property {Pair[]} [required]
 * @property {number[][] | null} [xy] of a graph, in the unit square
 * @property {Pair | null} [box] the rows and the columns of a box
 * @property {boolean} [apart]
 * @property {boolean} [checkered]
 * @property {number} [patch] pixels along the side of a token
 */
/**
 * @typedef {object} BoardParts what is worked out once for each board
 * @property {number} size
 * @property {number[]} blank
 * @property {number[]} exclusive
 * @property {number[][][]} groupsOf for each position the groups that hold it
 * @property {boolean} ruled else a marked cell differs from the known answer
 * @property {number[][]} edges
 * @property {Board & { shown: Uint8Array }} [input] the puzzle, where it stands beside its answer
 */
/** @typedef {Omit<BoardMeta, "blank" | "exclusive"> & BoardParts} Board */

/**
 * @typedef {object} ArrayEntry where an array lies in the buffer, and what its numbers mean
 * @property {string} name
 * @property {string} series
 * @property {string} dtype
 * @property {number[]} shape
 * @property {number} offset
 * @property {number} [bytes]
 * @property {number | number[] | null} [scale]
 * @property {number | number[] | null} [zero]
 * @property {boolean} [delta]
 */
/** @typedef {Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array} Numbers */
/** @typedef {{ shape: number[], values: Numbers }} NumberArray */
/**
 * @typedef {object} SeriesMeta
 * @property {string} letter
 * @property {string} name
 * @property {string} model
 * @property {string} [task]
 * @property {number} trajectories
 * @property {number} steps
 * @property {string | null} checkpoint
 * @property {number | null} seed
 * @property {string} hash
 * @property {number[]} supervision_step
 * @property {number[]} transition
 * @property {number} low_steps
 * @property {Record<string, string>} [missing]
 * @property {number} [all_trajectories]
 * @property {number[] | null} [kept] the trajectories that are shown, where not all of them are
 * @property {number[]} [x] of a branch with an edited puzzle: that puzzle
 * @property {number} [depth] the supervision steps of the model's own configuration, where fewer were recorded
 */
/** @typedef {{ values: Numbers, each: 0 | 1 }} Curve `each` is 0 where one line is that of all trajectories */
/** @typedef {{ xyz: Numbers, outside?: Numbers, beyond?: Numbers, low?: Numbers }} SeriesMap */
/**
 * @typedef {object} SeriesParts accessors, so that no other module knows how the bytes lie; absent where not recorded
 * @property {number} index
 * @property {number} n trajectories
 * @property {boolean[]} given in its puzzle
 * @property {(step: number) => number} held a shorter series keeps its last state
 * @property {Record<string, Curve>} curves
 * @property {Record<string, { values: Numbers, most: number }>} layers of further variables: a number of each cell
 * @property {Record<string, SeriesMap>} maps
 * @property {(trajectory: number, step: number) => Uint8Array} tokens
 * @property {(trajectory: number, step: number, position: number) => number} [certainty]
 * @property {(trajectory: number, step: number, position: number) => number} [second]
 * @property {(trajectory: number, step: number, position: number) => number} [secondCertainty]
 * @property {(trajectory: number, step: number, position: number) => number} [conflict]
 * @property {(trajectory: number, step: number) => boolean} [valid]
 * @property {(trajectory: number, step: number) => number | null} answer
 * @property {(trajectory: number) => number} final
 * @property {(trajectory: number, step: number) => number} lane -1 for none
 * @property {(trajectory: number) => number} commit the first step from which on it stays in its last lane
 * @property {number | null} right how many are correct; null where nobody knows
 * @property {(trajectory: number) => number} outcome 0 wrong ... 4 drawn
 * @property {(trajectory: number) => boolean} [settled]
 * @property {boolean} halts
 * @property {(trajectory: number) => number} halted
 * @property {(name: string, trajectory: number, step: number) => number} curve
 * @property {(trajectory: number, step: number, low: number) => number} [lowDrift]
 * @property {(trajectory: number, step: number, low: number) => Numbers} [lowMoved] of each position
 */
/** One of the at most four rollouts, A to D. @typedef {SeriesMeta & SeriesParts} Series */

/**
 * @typedef {object} Answer
 * @property {string | null} letter
 * @property {number[]} tokens
 * @property {boolean | null} valid
 * @property {number | null} conflicts
 * @property {Record<string, number>} counts
 */
/**
 * @typedef {object} Lane an answer, or wrong boards near each other, at which trajectories stay
 * @property {string | null} letter of the answer of its leader
 * @property {Trajectory} lead a trajectory that ends at the leader
 * @property {boolean | null} right null where nobody can judge
 * @property {number} size
 * @property {Pair} span from where to where it runs in the river
 * @property {Pair | null} anchor its circle on the map
 */
/**
 * @typedef {object} PackedSpace as `gramviz.measure.AnswerSpace`
 * @property {string} of
 * @property {number[]} cells the positions that the puzzle leaves open
 * @property {number[]} symbols tokens that are interchangeable
 * @property {number} radius
 * @property {number} warm_up
 * @property {"star" | "line" | "pca"} kind
 * @property {number} share
 * @property {number} shear
 * @property {Lane[]} lanes
 * @property {{ span: Pair, size: number, right: number }} trunk
 * @property {{ step: number, cell: number, share: number }[]} decisive
 * @property {{ x: number, y: number, reach: number, names: [number, number][] }[]} places
 * @property {Trajectory[]} medoids
 * @property {[Pair, Pair]} extent
 */
/** @typedef {PackedSpace & { m: Numbers, origin: Pair, kinds: number, leaders: number[][] }} AnswerSpace */
/** @typedef {{ low: Pair, high: Pair, range: Pair, unit: string }} LandscapeMeta */
/**
 * @typedef {object} BasisMeta
 * @property {string} name
 * @property {string} label
 * @property {string[]} series
 * @property {number[]} [variance]
 * @property {number} [plane] the share of the variance in the first two components
 * @property {string} [of]
 * @property {string | null} [note]
 */
/** @typedef {BasisMeta & { landscape?: LandscapeMeta | null }} PackedBasis */
/** @typedef {LandscapeMeta & NumberArray} Landscape rows going up, 255 = blank */
/** @typedef {BasisMeta & { landscape: Landscape | null }} Basis */

/**
 * @typedef {object} Quiz
 * @property {"cell" | "token" | "answer" | "trajectory" | "choice"} kind
 * @property {number} until the future is hidden up to this step
 * @property {"auto" | number[] | Trajectory[]} answer what is right: read from the rollout, or one of these
 * @property {number} cell of a question for a token
 * @property {string[]} choices of a question with choices
 * @property {string} [right]
 * @property {string} [wrong]
 * @property {string} [hint]
 */
/**
 * @typedef {object} Chapter
 * @property {string} say
 * @property {number | null} [at]
 * @property {Partial<State>} [show]
 * @property {{ cells: number[], trajectories: Trajectory[], part?: string | null }} [highlight]
 * @property {{ to: number, speed: number }} [play]
 * @property {Quiz} [quiz]
 */
/** @typedef {{ title: string, chapters: Chapter[] }} Lesson */

/**
 * @typedef {object} PayloadMeta what `gramviz.pack` writes; docs/payload.md says what each key means
 * @property {number[]} format
 * @property {string} title
 * @property {BoardMeta} board
 * @property {number} puzzle
 * @property {number} puzzles
 * @property {number | null} [puzzle_index] in its split
 * @property {number[] | null} [x]
 * @property {number[] | null} [y]
 * @property {{ height: number, width: number, tokens: number[] } | null} [input]
 * @property {number | null} [solutions_known]
 * @property {string[]} [levels]
 * @property {SeriesMeta[]} series
 * @property {Answer[]} [answers]
 * @property {PackedSpace} answer_space
 * @property {PackedBasis[]} [bases]
 * @property {string} [default_basis]
 * @property {Record<string, [string, string]>} [extra] title and unit of each variable beyond the schema
 * @property {Record<string, string>} [missing]
 * @property {string[]} [left_out]
 * @property {Lesson | null} [lesson]
 * @property {Record<string, unknown>} [provenance]
 * @property {ArrayEntry[]} arrays
 * @property {number} bytes
 * @property {string} sha256
 */
/**
 * @typedef {object} Payload
 * @property {PayloadMeta} meta
 * @property {Board} board
 * @property {Series[]} series
 * @property {Series} lead the longest: its steps make the ruler
 * @property {number} steps
 * @property {string} title
 * @property {number} puzzle
 * @property {number} puzzles
 * @property {number | null} index of the puzzle in its split
 * @property {import("./puzzles.js").PuzzleList | null} list of all puzzles of the rollout; null where there is one
 * @property {number[] | null} x
 * @property {number[] | null} y
 * @property {boolean[]} given
 * @property {number | null} solutions
 * @property {string[]} levels
 * @property {Answer[]} answers
 * @property {AnswerSpace} space
 * @property {Basis[]} bases
 * @property {Record<string, [string, string]>} extra title and unit of each variable beyond the schema
 * @property {boolean} bare whether its states have no answers: neither board nor answers are shown
 * @property {string[]} leftOut
 * @property {Lesson | null} lesson
 * @property {Record<string, string>} missing
 * @property {Record<string, unknown>} provenance
 */

/** Why a cell of a Sudoku changed.
 * @typedef {"given" | "erased" | "contradicts" | "naked" | "box" | "row" | "column" | "locked" | "rules" | "guess"}
 *   Reason */

// -------------------------------------------------------------------------------------------------------------- colors
/** @typedef {"light" | "dark"} Mode */
/** @typedef {[number, number, number]} Rgb 0 to 255 */
/** @typedef {"bg" | "sunk" | "given" | "line" | "edge" | "ink" | "text2" | "text3"} Ground */
/** @typedef {"blue" | "vermilion" | "green" | "purple" | "gold" | "gray"} Hue */
/** @typedef {Ground | Hue} ColorToken */
/** @typedef {Record<ColorToken, string> & { landscape: string[] }} Palette */
/** The name of a token, or a share 0 to 1 of the sequential ramp. @typedef {ColorToken | number} Color */
/** @typedef {Palette & { mode: Mode, pick: (color: Color) => string }} Theme */

// ------------------------------------------------------------------------------------------------------------- drawing
/**
 * What draws: a canvas's context, or `svgPen`, which writes. What the page draws with is what both have.
 * @typedef {Pick<CanvasRenderingContext2D, PenMethod | PenStyle>} Pen
 */
/** @typedef {"save" | "restore" | "translate" | "scale" | "rotate" | "clip"} PenState */
/** @typedef {"beginPath" | "moveTo" | "lineTo" | "closePath" | "rect" | "roundRect" | "arc" | "setLineDash"} PenPath */
/** @typedef {"fill" | "stroke" | "fillRect" | "strokeRect" | "fillText" | "strokeText" | "measureText"} PenPaint */
/** @typedef {PenState | PenPath | PenPaint} PenMethod */
/** @typedef {"fillStyle" | "strokeStyle" | "lineWidth" | "lineJoin" | "lineCap" | "globalAlpha"} PenLine */
/** @typedef {PenLine | "font" | "textAlign" | "textBaseline"} PenStyle */
/** Gives the pen for a surface of this size.
 * @typedef {(canvas: HTMLCanvasElement, width: number, height: number) => Pen} Recorder */
/** @typedef {"dot" | "cross" | "ring" | "diamond"} Shape */
/** @typedef {{ key: string | number, color: Color, label: string, dash?: number[], shape?: Shape }} GroupStyle */
/** @typedef {(series: Series, trajectory: number, payload: Payload, state: State) => GroupStyle} Grouping */
/** @typedef {GroupStyle & { dash: number[] }} ColorGroup */
/** `of`: for each letter the group of each trajectory.
 * @typedef {{ groups: ColorGroup[], of: Record<string, Uint8Array> }} ColorGroups */
/** For each letter the emphasis of each trajectory. @typedef {Record<string, Uint8Array>} Emphasis */

/**
 * @typedef {object} PlacedSeries a series on a plane, in CSS pixels
 * @property {Series} series
 * @property {Float32Array} points x, y of each state of each trajectory
 * @property {Float32Array | null} [lows] the same after each low-level update, of a map of l
 * @property {Numbers | undefined} outside the energy that the components that are seen leave out, k / 255
 * @property {Float32Array | null} depth -1 behind to 1 in front, of a map in 3-D
 * @property {Uint8Array | null} slabs the slab of the segment that begins at each state
 */
/** What a person can point at: a lane (or -1, the trunk), a cell that tells the end, a dense place.
 * @typedef {{ kind: "lane" | "cell" | "place", index: number, box: Box }} Hit */
/** @typedef {{ basis: Basis, series: Series[] }} Plane */
/**
 * @typedef {object} PlacedPlane
 * @property {Basis} basis
 * @property {number} index
 * @property {Box} box
 * @property {PlacedSeries[]} parts
 * @property {Hit[]} hits what is named on it, once it is drawn
 * @property {Box[]} labels other names on its ground
 * @property {number} scale px per unit
 * @property {Vector[] | null} axes where the components point, of a map in 3-D
 * @property {(x: number) => number} fromX
 * @property {(y: number) => number} fromY
 * @property {(value: number) => number} toX
 * @property {(value: number) => number} toY
 */
/**
 * @typedef {object} Scene what the map's drawing needs, apart from the geometry
 * @property {Payload} payload
 * @property {State} state
 * @property {Theme} theme
 * @property {string} font
 * @property {number} steps
 * @property {number} last the last step that may be shown
 * @property {boolean} veiled while a quiz hides the future
 * @property {Answer[]} answers
 * @property {Hover | null} hover
 * @property {number} fraction of the way to the next step
 * @property {ColorGroups} colors
 * @property {Emphasis} emphasis
 * @property {boolean} small a thumbnail
 * @property {boolean} [halo]
 * @property {Pair[] | null} [lasso]
 */

/**
 * @typedef {object} BoardView what a board shows, worked out by `boardView`
 * @property {Board} board
 * @property {boolean[]} given
 * @property {"one" | "differ" | "all"} mode
 * @property {Series} series
 * @property {number} trajectory
 * @property {number} step
 * @property {Uint8Array} tokens
 * @property {Uint16Array | null} counts of tokens over all trajectories, of the mode "all"
 * @property {number} crowd how many trajectories those are
 * @property {Set<number>} changed
 * @property {Set<number>[]} trail
 * @property {Uint8Array | null} pinned tokens of the pinned trajectory
 * @property {boolean} preview
 * @property {boolean} small
 * @property {Uint8Array | null} other tokens of the one that is compared
 * @property {string} otherName
 * @property {(position: number) => boolean} conflict
 * @property {(position: number) => number | null} against what the answer has where another token is given
 * @property {((position: number) => number) | null} [certainty]
 * @property {((position: number) => number) | null} [second]
 * @property {((position: number) => number) | null} [secondCertainty]
 * @property {Map<number, Reason> | null} reasons
 * @property {number[] | null} truth
 * @property {number | null} hover
 * @property {number[]} cells
 * @property {number | null} token
 * @property {boolean} [draft] while the puzzle is edited
 * @property {ArrayLike<number> | null} moved how far l moved in each cell, at a low-level step
 * @property {{ title: string, values: Numbers, most: number } | null} [layer] a number of each cell
 * @property {import("./branchtypes.js").Effect | null} effect of patching each cell, where this trajectory has one
 */
/** A board that stands beside its input. @typedef {Board & { input: NonNullable<Board["input"]> }} PairBoard */
/** @typedef {Places & { left: number, top: number }} GridPlaces */
/** @typedef {GridPlaces & { input: GridPlaces }} PairPlaces */
/**
 * @typedef {object} Places where the positions of a board lie
 * @property {number} cell px
 * @property {number} width
 * @property {number} height
 * @property {number} [left]
 * @property {number} [top]
 * @property {(position: number) => { x: number, y: number }} at the center of a position
 * @property {(x: number, y: number) => number | null} hit
 * @property {(position: number, dx: number, dy: number) => number} move
 */
export {};
