// ELK in a worker of its own: loaded in one, its script answers messages by itself.
import "elkjs/lib/elk-worker.min.js";
