# Reads request bodies as a stock Rails reads them: with Action Pack's own request, wrapper and strong parameters.
#
# A request is a line of JSON on standard input: {"content_type": text or null, "query": text, "body": Base64,
# "wrapper": "tune", "prompt" or null}. Each is answered by a line: {"read": all parameters, "permitted": those
# under the wrapper, as the model casts them} or {"refused": status, "error": class}. A line {"cast": type,
# "value": value} is answered by {"cast": value}.
#
# On Debian: apt-get install ruby-actionpack ruby-activemodel

require "base64"
require "digest"
require "json"
require "logger"
require "stringio"
require "active_support"
require "active_support/all"
require "action_controller"
require "active_model"

INTEGER = ActiveModel::Type::Integer.new(limit: 8)
FLOAT = ActiveModel::Type::Float.new
BOOLEAN = ActiveModel::Type::Boolean.new
STRING = ActiveModel::Type::String.new
TYPES = {"integer" => INTEGER, "float" => FLOAT, "boolean" => BOOLEAN, "string" => STRING}.freeze

PROMPT = {
  text: STRING, negative_prompt: STRING, callback: STRING, ar: STRING, aspect_ratio: STRING, resolution: STRING,
  style: STRING, scheduler: STRING, color_grading: STRING, controlnet: STRING, num_images: INTEGER, seed: INTEGER,
  steps: INTEGER, w: INTEGER, h: INTEGER, cfg_scale: FLOAT, denoising_strength: FLOAT,
  controlnet_conditioning_scale: FLOAT, super_resolution: BOOLEAN, inpaint_faces: BOOLEAN, face_correct: BOOLEAN,
  face_swap: BOOLEAN, hires_fix: BOOLEAN, film_grain: BOOLEAN, use_lpw: BOOLEAN, prompt_expansion: BOOLEAN
}.freeze
TUNE = {
  title: STRING, name: STRING, callback: STRING, prompts_callback: STRING, preset: STRING, branch: STRING,
  base_tune_id: INTEGER, model_type: STRING, token: STRING, steps: INTEGER, face_crop: BOOLEAN,
  training_face_correct: BOOLEAN, auto_extend: BOOLEAN
}.freeze

# Makes JSON of parameters: a file becomes its name, size and hash.
def described(value)
  case value
  when ActionDispatch::Http::UploadedFile
    {"filename" => described(value.original_filename), "size" => value.size,
     "sha256" => Digest::SHA256.file(value.path).hexdigest}
  when Hash then value.to_h { |key, item| [described(key), described(item)] }
  when Array then value.map { |item| described(item) }
  when String then value.encode("UTF-8").scrub
  when Float then value.finite? ? value : {"float" => value.to_s}
  else value
  end
end

def cast(types, attributes)
  return attributes unless attributes.is_a?(Hash)

  attributes.to_h { |name, value| [name, types.key?(name.to_sym) ? types[name.to_sym].cast(value) : value] }
end

# What the two controllers share.
module Printed
  def self.included(controller)
    controller.attr_reader :read, :permitted
  end

  def create
    @read = described(params.to_unsafe_h.except("controller", "action"))
    @permitted = described(permit)
    head :created
  end
end

class TunesController < ActionController::API
  include Printed
  wrap_parameters :tune, format: [:json], include: TUNE.keys.map(&:to_s) + %w[characteristics prompts_attributes]

  def permit
    tune = params.require(:tune).permit(
      *TUNE.keys, :brief, image_urls: [], images: [], tune_ids: [], prompt_ids: [], characteristics: {},
      prompt_attributes: PROMPT.keys, prompts_attributes: PROMPT.keys
    ).to_h
    %w[tune_ids prompt_ids].each { |name| tune[name] = tune[name].map { |id| INTEGER.cast(id) } if tune[name] }
    tune["prompt_attributes"] = cast(PROMPT, tune["prompt_attributes"]) if tune["prompt_attributes"]
    cast(TUNE, tune)
  end
end

class PromptsController < ActionController::API
  include Printed
  wrap_parameters :prompt, format: [:json], include: PROMPT.keys.map(&:to_s)

  def permit
    cast(PROMPT, params.require(:prompt).permit(*PROMPT.keys).to_h)
  end
end

class ImagesController < ActionController::API
  include Printed
  wrap_parameters false

  def permit
    params.permit(:name, :file, :file_url).to_h
  end
end

CONTROLLERS = {"tune" => TunesController, "prompt" => PromptsController, nil => ImagesController}.freeze

def answer(line)
  return {"cast" => described(TYPES.fetch(line["cast"]).cast(line["value"]))} if line.key?("cast")

  body = Base64.decode64(line["body"])
  env = {
    "REQUEST_METHOD" => line["method"] || "POST", "PATH_INFO" => "/", "SCRIPT_NAME" => "", "HTTP_HOST" => "localhost",
    "SERVER_NAME" => "localhost", "SERVER_PORT" => "80", "SERVER_PROTOCOL" => "HTTP/1.1", "rack.url_scheme" => "http",
    "QUERY_STRING" => line["query"].b, "CONTENT_LENGTH" => body.bytesize.to_s, "rack.input" => StringIO.new(body),
    "rack.errors" => StringIO.new, "action_dispatch.logger" => Logger.new(IO::NULL),
    "action_dispatch.request.path_parameters" => {controller: "x", action: "create"}
  }
  env["CONTENT_TYPE"] = line["content_type"] if line["content_type"]
  controller = CONTROLLERS.fetch(line["wrapper"]).new
  # A stock application has this middleware, which reads the body first: a POST without a Content-Type as a form.
  Rack::MethodOverride.new(lambda { |environ|
    controller.dispatch(:create, ActionDispatch::Request.new(environ), ActionDispatch::Response.new)
  }).call(env)
  {"read" => controller.read, "permitted" => controller.permitted}
rescue StandardError => error
  status = ActionDispatch::ExceptionWrapper.status_code_for_exception(error.class.name)
  {"refused" => status, "error" => error.class.name, "message" => error.message.scrub[0, 200]}
ensure
  Array(env && env["rack.tempfiles"]).each(&:close!)
end

$stdout.sync = true
puts JSON.generate("rails" => ActionPack.version.to_s, "rack" => Rack.release)
$stdin.each_line { |line| puts JSON.generate(answer(JSON.parse(line)), max_nesting: 0) }
