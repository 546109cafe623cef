using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CcmFhir.Tests.Fhir;

namespace CcmFhir.Tests.Intake;

/// <summary>Input that is no good: each gets its status and an outcome that says what would be right, nothing is stored, and the next
/// request works.</summary>
public class BadInputTest(FhirServer server) : IClassFixture<FhirServer>
{
    private const string Good = """{"resourceType":"Basic","code":{"text":"x"}}""";

    [Theory]
    [InlineData("", "Basic", "", 400, "body-empty")]
    [InlineData("not JSON", "Basic", "not json", 400, "json-syntax")]
    [InlineData("cut off", "Basic", """{"resourceType":"Basic","code":{""", 400, "json-syntax")]
    [InlineData("two documents", "Basic", """{"resourceType":"Basic"} {}""", 400, "json-syntax")]
    [InlineData("an array", "Basic", "[]", 400, "json-object")]
    [InlineData("a number", "Basic", "42", 400, "json-object")]
    [InlineData("no resourceType", "Basic", "{}", 400, "resource-type")]
    [InlineData("resourceType is no string", "Basic", """{"resourceType":7}""", 400, "resource-type")]
    [InlineData("unknown resourceType", "Basic", """{"resourceType":"Basics"}""", 400, "resource-type")]
    [InlineData("another resourceType", "Basic", """{"resourceType":"Patient"}""", 400, "resource-type")]
    [InlineData("unknown type in the URL", "Basics", Good, 404, "resource-type")]
    [InlineData("no Bundle at the base", "", Good, 400, "resource-type")]
    [InlineData("no type of Bundle", "", """{"resourceType":"Bundle"}""", 400, "bundle-type")]
    [InlineData(
        "entry is no array",
        "",
        """{"resourceType":"Bundle","type":"batch","entry":{}}""",
        400,
        "bundle-entry"
    )]
    [InlineData(
        "unknown property",
        "",
        """{"resourceType":"Bundle","type":"batch","entries":[]}""",
        400,
        "unknown-property"
    )]
    [InlineData(
        "entry is no object",
        "",
        """{"resourceType":"Bundle","type":"transaction","entry":[1]}""",
        400,
        "bundle-entry"
    )]
    [InlineData(
        "entry without request",
        "",
        """{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic"}}]}""",
        400,
        "bdl-3"
    )]
    [InlineData(
        "unknown method",
        "",
        """{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"SING","url":"Basic"}}]}""",
        400,
        "bundle-method"
    )]
    [InlineData(
        "no resource",
        "",
        """{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Basic"}}]}""",
        400,
        "bundle-resource"
    )]
    [InlineData(
        "URL of elsewhere",
        "",
        """{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"https://evil.example.org/Basic/1"}}]}""",
        400,
        "resource-type"
    )]
    public async Task Bad_bodies_are_refused_with_the_reason(
        string what,
        string url,
        string body,
        int status,
        string rule
    )
    {
        var refused = await server.PostAsync(url, body);

        refused.ShouldRefuse(status, rule);
        (await server.PostAsync("Basic", Good)).Status.ShouldBe(201, what);
    }

    [Fact]
    public async Task A_fault_in_JSON_says_line_and_column()
    {
        var refused = await server.PostAsync("Basic", "{\n  \"resourceType\": \"Basic\",\n  oops\n}");

        refused.ShouldRefuse(400, "json-syntax");
        ((int?)refused.Json["issue"]![0]!["extension"]![0]!["valueInteger"]).ShouldBe(3);
    }

    [Fact]
    public async Task Nesting_without_end_is_refused()
    {
        var deep = new StringBuilder("""{"resourceType":"Basic","extension":""");
        deep.Insert(deep.Length, "[{\"extension\":", 5_000).Append("[]").Insert(deep.Length, "}]", 5_000).Append('}');

        (await server.PostAsync("Basic", deep.ToString())).ShouldRefuse(400, "json-depth");
        (await server.PostAsync("Basic", new string('[', 1_000_000))).ShouldRefuse(400, "json-depth");
        (await server.PostAsync("Basic", Good)).Status.ShouldBe(201);
    }

    [Fact]
    public async Task A_Bundle_of_a_million_entries_is_413()
    {
        var bundle = new StringBuilder("""{"resourceType":"Bundle","type":"batch","entry":[""");
        bundle.Insert(bundle.Length, "{},", 999_999).Append("{}]}");

        (await server.PostAsync("", bundle.ToString())).ShouldRefuse(413, "bundle-entries");
        (await server.PostAsync("Basic", Good)).Status.ShouldBe(201);
    }

    [Fact]
    public async Task A_body_of_100_MB_is_413_whether_its_length_is_said_or_not()
    {
        foreach (var said in (bool[])[true, false])
        {
            using var content = new StreamContent(new BlankStream(100_000_000));
            content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/fhir+json");
            content.Headers.ContentLength = said ? 100_000_000 : null;
            using var request = new HttpRequestMessage(HttpMethod.Post, "") { Content = content };
            request.Headers.TransferEncodingChunked = !said;
            request.Headers.ExpectContinue = true;

            using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

            answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
            (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("body-size");
        }
        (await server.PostAsync("Basic", Good)).Status.ShouldBe(201);
    }

    [Fact]
    public async Task A_small_body_that_unpacks_to_much_is_413()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            await new BlankStream(200_000_000).CopyToAsync(gzip, TestContext.Current.CancellationToken);
        }
        packed.Length.ShouldBeLessThan(1_000_000);
        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/fhir+json");
        content.Headers.ContentEncoding.Add("gzip");

        using var answer = await server.Http.PostAsync("Basic", content, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_packed_body_is_read()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Good), TestContext.Current.CancellationToken);
        }
        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/fhir+json");
        content.Headers.ContentEncoding.Add("gzip");

        using var answer = await server.Http.PostAsync("Basic", content, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("compress", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("gzip", HttpStatusCode.BadRequest)]
    public async Task A_body_that_is_not_packed_as_it_says_is_refused(string encoding, HttpStatusCode status)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Good));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/fhir+json");
        content.Headers.ContentEncoding.Add(encoding);

        using var answer = await server.Http.PostAsync("Basic", content, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(status);
    }

    private static string TimeLog(string? period) =>
        $$"""
            {"resourceType":"Task","id":"bad-log","status":"completed","intent":"order","for":{"reference":"Patient/bad"},
             "code":{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-activity","code":"care-coordination"}]},
             "performerType":[{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-performer-role","code":"clinical-staff"}]}],
             "owner":{"reference":"Practitioner/n1"},"authoredOn":"2026-11-19T12:00:00-05:00"
             {{(period is null ? "" : ",\"executionPeriod\":" + period)}} }
            """;

    [Theory]
    [InlineData(null, "CCM-T05")]
    [InlineData("""{"start":"2026-11-19T09:00:00-05:00"}""", "CCM-T05")]
    [InlineData("""{"start":"2026-11-19T09:20:00-05:00","end":"2026-11-19T09:00:00-05:00"}""", "CCM-T04")]
    [InlineData("""{"start":"2026-11-19T09:00:00-05:00","end":"2026-11-19T09:00:00-05:00"}""", "CCM-T04")]
    [InlineData("""{"start":"2026-12-19T09:00:00-05:00","end":"2026-12-19T09:20:00-05:00"}""", "CCM-T06")]
    [InlineData("""{"start":"2026-11-17T09:00:00-05:00","end":"2026-11-18T09:00:01-05:00"}""", "CCM-T07")]
    public async Task A_time_log_whose_time_cannot_be_true_is_422_alone_and_in_a_Bundle(string? period, string reason)
    {
        var log = TimeLog(period);

        var alone = await server.PutAsync("Task/bad-log", log);
        var bundled = await server.PostAsync(
            "",
            $$"""
            {"resourceType":"Bundle","type":"transaction","entry":[
              {"resource":{{Good}},"request":{"method":"POST","url":"Basic"} },
              {"resource":{{log}},"request":{"method":"PUT","url":"Task/bad-log"} }]}
            """
        );

        alone.ShouldRefuse(422, reason);
        alone.Expressions.ShouldAllBe(expression => expression.StartsWith("Task"));
        bundled.ShouldRefuse(422, reason);
        bundled.Expressions.ShouldAllBe(expression => expression.StartsWith("Bundle.entry[1].resource"));
        (await server.GetAsync("Task/bad-log")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_good_time_log_is_taken()
    {
        var log = TimeLog("""{"start":"2026-11-19T09:00:00-05:00","end":"2026-11-19T09:20:00-05:00"}""");

        var answer = await server.PutAsync("Task/good-log", log.Replace("bad-log", "good-log"));

        answer.Status.ShouldBe(201, answer.Text);
    }

    /// <summary>Blanks, as many as asked for.</summary>
    private sealed class BlankStream(long length) : Stream
    {
        private long left = length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var some = (int)Math.Min(count, left);
            buffer.AsSpan(offset, some).Fill((byte)' ');
            left -= some;
            return some;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
