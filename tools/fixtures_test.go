//lint:file-ignore SA1019 the conformance suite asks for features that the protocol deprecates

package tools

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// suite is what the official conformance suite expects of a server by name: tools, resources and
// prompts that ken has no use for. They stand on the product's own stack, in tests only.
type suite struct{ server *mcp.Server }

type object = map[string]any

// configure allows what the suite tries and ken does not serve.
func (s *suite) configure(o *mcp.ServerOptions) {
	o.Capabilities.Logging = &mcp.LoggingCapabilities{}
	o.Capabilities.Completions = &mcp.CompletionCapabilities{}
	o.Capabilities.Tools.ListChanged = true
	o.Capabilities.Prompts.ListChanged = true
	o.Capabilities.Resources.Subscribe = true
	o.SubscribeHandler = func(context.Context, *mcp.SubscribeRequest) error { return nil }
	o.UnsubscribeHandler = func(context.Context, *mcp.UnsubscribeRequest) error { return nil }
	o.CompletionHandler = func(context.Context, *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
		return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{"one"}, Total: 1}}, nil
	}
}

// register adds the fixtures.
func (s *suite) register(b toolbox) {
	s.server = b.Server
	for name, run := range s.tools() {
		schema := any(object{"type": "object"})
		switch name {
		case "json_schema_2020_12_tool":
			schema = dialectSchema()
		case "test_x_mcp_header":
			schema = object{"type": "object", "properties": object{"region": object{"type": "string", "x-mcp-header": "Region"}, "level": object{"type": "integer"}}}
		}
		b.AddTool(&mcp.Tool{Name: name, Description: "a fixture of the conformance suite", InputSchema: schema}, mcp.ToolHandler(run))
	}
	for uri, content := range map[string]*mcp.ResourceContents{
		"test://static-text": {MIMEType: "text/plain", Text: "static"}, "test://static-binary": {MIMEType: "image/png", Blob: pixel()}, "test://watched-resource": {MIMEType: "text/plain", Text: "watched"},
	} {
		b.AddResource(&mcp.Resource{Name: strings.TrimPrefix(uri, "test://"), MIMEType: content.MIMEType, URI: uri}, readAs(content))
	}
	b.AddResourceTemplate(&mcp.ResourceTemplate{Name: "template", MIMEType: "application/json", URITemplate: "test://template/{id}/data"}, func(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		id := between(r.Params.URI, "template/", "/data")
		return readAs(&mcp.ResourceContents{MIMEType: "application/json", Text: fmt.Sprintf(`{"id":%q,"data":"Data for ID: %s"}`, id, id)})(nil, r)
	})
	s.prompts(b.Server)
}

func readAs(c *mcp.ResourceContents) mcp.ResourceHandler {
	return func(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		out := *c
		out.URI = r.Params.URI
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{&out}}, nil
	}
}

type toolRun = func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error)

func says(content ...mcp.Content) toolRun {
	return func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: content}, nil
	}
}

func saysText(format string, args ...any) (*mcp.CallToolResult, error) {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, args...)}}}, nil
}

func (s *suite) tools() map[string]toolRun {
	text, picture := &mcp.TextContent{Text: "simple text"}, &mcp.ImageContent{Data: pixel(), MIMEType: "image/png"}
	embedded := &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "test://embedded", MIMEType: "text/plain", Text: "embedded"}}
	return map[string]toolRun{
		"test_simple_text":            says(text),
		"test_image_content":          says(picture),
		"test_audio_content":          says(&mcp.AudioContent{Data: silence(), MIMEType: "audio/wav"}),
		"test_embedded_resource":      says(embedded),
		"test_multiple_content_types": says(text, picture, embedded),
		"json_schema_2020_12_tool":    says(text),
		"test_x_mcp_header":           says(text),
		"test_streaming_elicitation":  says(text),
		"test_error_handling": func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "fails on purpose"}}}, nil
		},
		"test_tool_with_logging":  logs("started", "running", "done"),
		"test_logging_tool":       logs("once"),
		"test_tool_with_progress": progresses,
		"test_reconnection": func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			if r.Extra.CloseSSEStream != nil {
				r.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
			}
			time.Sleep(100 * time.Millisecond)
			return saysText("after the stream was closed")
		},
		"test_sampling":                     samples,
		"test_elicitation":                  elicits(object{"username": object{"type": "string"}}),
		"test_elicitation_sep1034_defaults": elicits(defaults()),
		"test_elicitation_sep1330_enums":    elicits(enums()),
		"test_missing_capability": func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			if c := r.ClientCapabilities(); c != nil && c.Sampling != nil {
				return saysText("the client samples")
			}
			data, err := json.Marshal(mcp.MissingRequiredClientCapabilityData{RequiredCapabilities: &mcp.ClientCapabilities{Sampling: &mcp.SamplingCapabilities{}}})
			if err != nil {
				return nil, err
			}
			return nil, &jsonrpc.Error{Code: mcp.CodeMissingRequiredClientCapabilities, Message: "sampling is required", Data: data}
		},
		"test_trigger_tool_change": func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			s.server.AddTool(&mcp.Tool{Name: "transient", Description: "comes and goes", InputSchema: object{"type": "object"}}, says(text))
			return saysText("the list changed")
		},
		"test_trigger_prompt_change": func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			s.server.AddPrompt(&mcp.Prompt{Name: "transient", Description: "comes and goes"}, promptSays("transient"))
			return saysText("the list changed")
		},
		"test_input_required_result_elicitation":     rounds("", step{"user_name": askName()}),
		"test_input_required_result_sampling":        rounds("", step{"capital_question": askModel()}),
		"test_input_required_result_list_roots":      rounds("", step{"client_roots": &mcp.ListRootsParams{}}),
		"test_input_required_result_request_state":   rounds("state-ok: ", step{"confirm": askFor("ok", "boolean")}),
		"test_input_required_result_tampered_state":  rounds("state-ok: ", step{"confirm": askFor("ok", "boolean")}),
		"test_input_required_result_multiple_inputs": rounds("", step{"user_name": askName(), "greeting": askModel(), "client_roots": &mcp.ListRootsParams{}}),
		"test_input_required_result_multi_round":     rounds("", step{"step1": askName()}, step{"step2": askFor("color", "string")}),
		"test_input_required_result_capabilities":    capable,
	}
}

// step is what one round asks of the client.
type step = mcp.InputRequestMap

var stateKey = []byte("a key that only the server has")

// sealed is the number of rounds that are done, in a form that no client can change.
func sealed(done int) string {
	m := hmac.New(sha256.New, stateKey)
	fmt.Fprint(m, done)
	return fmt.Sprintf("%d.%s", done, hex.EncodeToString(m.Sum(nil)))
}

// rounds asks step after step, and answers when the last was answered.
func rounds(prefix string, steps ...step) toolRun {
	return func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		done := 0
		if state := r.Params.RequestState; state != "" {
			for done < len(steps) && state != sealed(done) {
				done++
			}
			if done == len(steps) {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the state is not one of this server's"}
			}
		}
		if answered(steps[done], r.Params.InputResponses) {
			done++
		}
		if done == len(steps) {
			told, err := json.Marshal(r.Params.InputResponses)
			if err != nil {
				return nil, err
			}
			return saysText("%s%s", prefix, told)
		}
		return &mcp.CallToolResult{InputRequests: steps[done], RequestState: sealed(done)}, nil
	}
}

// answered reports whether each question has an answer of its kind that was not declined.
func answered(s step, responses mcp.InputResponseMap) bool {
	for name, asked := range s {
		switch answer := responses[name].(type) {
		case *mcp.ElicitResult:
			if answer.Action != "accept" || answer.Content == nil {
				return false
			}
			if q, ok := asked.(*mcp.ElicitParams); ok && !hasAll(q.RequestedSchema.(object), answer.Content) {
				return false
			}
		case *mcp.CreateMessageWithToolsResult, *mcp.ListRootsResult:
		default:
			return false
		}
	}
	return true
}

func hasAll(schema, content object) bool {
	for name, field := range schema["properties"].(object) {
		value, ok := content[name]
		if _, text := value.(string); !ok || field.(object)["type"] == "string" && !text {
			return false
		}
	}
	return true
}

func askFor(field, kind string) *mcp.ElicitParams {
	return &mcp.ElicitParams{Message: "Please tell the " + field, RequestedSchema: object{"type": "object", "properties": object{field: object{"type": kind}}, "required": []string{field}}}
}

func askName() *mcp.ElicitParams { return askFor("name", "string") }

func askModel() *mcp.CreateMessageParams {
	return &mcp.CreateMessageParams{MaxTokens: 50, Messages: []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: "What is the capital of France?"}}}}
}

// capable asks only for what the client said it can do.
func capable(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	all := step{}
	if c := r.ClientCapabilities(); c != nil {
		if c.Elicitation != nil {
			all["user_name"] = askName()
		}
		if c.Sampling != nil {
			all["greeting"] = askModel()
		}
		if c.RootsV2 != nil {
			all["client_roots"] = &mcp.ListRootsParams{}
		}
	}
	return rounds("", all)(ctx, r)
}

func logs(lines ...string) toolRun {
	return func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for _, l := range lines {
			if err := r.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: l}); err != nil {
				return nil, err
			}
		}
		return saysText("logged")
	}
}

func progresses(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	for _, p := range []float64{0, 50, 100} {
		if err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: r.Params.GetProgressToken(), Progress: p, Total: 100}); err != nil {
			return nil, err
		}
	}
	return saysText("%v", r.Params.GetProgressToken())
}

func samples(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var args struct{ Prompt string }
	if err := json.Unmarshal(r.Params.Arguments, &args); err != nil {
		return nil, err
	}
	answer, err := r.Session.CreateMessage(ctx, &mcp.CreateMessageParams{MaxTokens: 100, Messages: []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: args.Prompt}}}})
	if err != nil {
		return nil, err
	}
	text, _ := answer.Content.(*mcp.TextContent)
	return saysText("LLM response: %s", text.Text)
}

func elicits(properties object) toolRun {
	return func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := r.Session.Elicit(ctx, &mcp.ElicitParams{Message: "Please answer", RequestedSchema: object{"type": "object", "properties": properties}})
		if err != nil {
			return nil, err
		}
		return saysText("action=%s, content=%v", answer.Action, answer.Content)
	}
}

func defaults() object {
	return object{
		"name": object{"type": "string", "default": "John Doe"}, "age": object{"type": "integer", "default": 30}, "score": object{"type": "number", "default": 95.5},
		"status": object{"type": "string", "enum": []string{"active", "inactive", "pending"}, "default": "active"}, "verified": object{"type": "boolean", "default": true},
	}
}

func enums() object {
	plain := []string{"option1", "option2", "option3"}
	titled := []object{{"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"}}
	return object{
		"untitledSingle": object{"type": "string", "enum": plain}, "titledSingle": object{"type": "string", "oneOf": titled},
		"legacyEnum":    object{"type": "string", "enum": []string{"opt1", "opt2", "opt3"}, "enumNames": []string{"Option One", "Option Two", "Option Three"}},
		"untitledMulti": object{"type": "array", "items": object{"type": "string", "enum": plain}}, "titledMulti": object{"type": "array", "items": object{"anyOf": titled}},
	}
}

// dialectSchema uses the words of JSON Schema 2020-12 that have to survive.
func dialectSchema() object {
	text := object{"type": "string"}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
		"$defs":      object{"address": object{"$anchor": "addressDef", "type": "object", "properties": object{"street": text, "city": text}}},
		"properties": object{"name": text, "address": object{"$ref": "#/$defs/address"}, "contactMethod": object{"type": "string", "enum": []string{"phone", "email"}}, "phone": text, "email": text},
		"allOf":      []object{{"anyOf": []object{{"required": []string{"phone"}}, {"required": []string{"email"}}}}},
		"if":         object{"properties": object{"contactMethod": object{"const": "phone"}}, "required": []string{"contactMethod"}},
		"then":       object{"required": []string{"phone"}}, "else": object{"required": []string{"email"}},
	}
}

func promptSays(format string, args ...string) mcp.PromptHandler {
	return func(_ context.Context, r *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		values := make([]any, len(args))
		for i, a := range args {
			values[i] = r.Params.Arguments[a]
		}
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: fmt.Sprintf(format, values...)}}}}, nil
	}
}

func (s *suite) prompts(m *mcp.Server) {
	m.AddPrompt(&mcp.Prompt{Description: "a fixture", Name: "test_simple_prompt"}, promptSays("A simple prompt."))
	m.AddPrompt(&mcp.Prompt{Description: "a fixture", Name: "test_prompt_with_arguments", Arguments: []*mcp.PromptArgument{{Name: "arg1", Required: true}, {Name: "arg2", Required: true}}}, promptSays("arg1='%s', arg2='%s'", "arg1", "arg2"))
	m.AddPrompt(&mcp.Prompt{Description: "a fixture", Name: "test_prompt_with_embedded_resource", Arguments: []*mcp.PromptArgument{{Name: "resourceUri", Required: true}}}, func(_ context.Context, r *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: r.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "embedded"}}}}}, nil
	})
	m.AddPrompt(&mcp.Prompt{Description: "a fixture", Name: "test_prompt_with_image"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.ImageContent{Data: pixel(), MIMEType: "image/png"}}}}, nil
	})
	m.AddPrompt(&mcp.Prompt{Description: "a fixture", Name: "test_input_required_result_prompt"}, func(ctx context.Context, r *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		asked := step{"user_context": askFor("context", "string")}
		if !answered(asked, r.Params.InputResponses) {
			return &mcp.GetPromptResult{InputRequests: asked}, nil
		}
		return promptSays("The context was told.")(ctx, r)
	})
}

// pixel is a picture of one pixel.
func pixel() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// silence is a WAV file without a sample.
func silence() []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\x24\x00\x00\x00WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(8000), uint16(1), uint16(8)} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	b.WriteString("data\x00\x00\x00\x00")
	return b.Bytes()
}
