# Sourced by cases that need a real llama-server, after small.sh: serve starts one of SmolLM2, and leaves its URL in $url and
# its process in $server. It ends with the case.

serve() { # [OPTION...]
    local program=$LLAMA_SERVER port i
    [ -x "$program" ] || { echo "needs llama-server: scripts/llama.sh --tools builds it"; exit 77; }
    for ((i = 0; i < 20; i++)); do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break # nobody answers there
    done
    "$program" -m "$CORD_MODELS/smollm2-135m-instruct.gguf" --host 127.0.0.1 --port "$port" -np 4 -c 4096 -fa off -t 1 "$@" \
        >server.log 2>&1 &
    server=$!
    trap 'kill -9 $server 2>/dev/null' EXIT
    url=http://127.0.0.1:$port
    for ((i = 0; i < 600; i++)); do
        [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/health")" = 200 ] && return
        sleep 0.1
    done
    echo "llama-server was not ready within a minute" && tail -5 server.log
}
