using System.Net;
using System.Text;

namespace CcmFhir.Tests.Pages;

/// <summary>Whatever is asked of the pages, a page answers that says what is the matter and where to go on, and never what the program looks like inside.</summary>
public sealed class BadInputTest(DemoSite site) : IClassFixture<DemoSite>
{
    [Theory]
    [InlineData("/maple-street/months/2026-13", 404)]
    [InlineData("/maple-street/months/2026-00.csv", 404)]
    [InlineData("/maple-street/months/october", 404)]
    [InlineData("/maple-street/months/1999-01", 404)]
    [InlineData("/maple-street/months/2026-13/close", 404)]
    [InlineData("/maple-street/months/2026-10/close/none", 404)]
    [InlineData("/oak-street/months/2026-10", 404)]
    [InlineData("/oak-street/patients/goldfinch/2026-10", 404)]
    [InlineData("/elm-street/patients/goldfinch/2026-10", 404)]
    [InlineData("/maple-street/patients/nobody/2026-10", 404)]
    [InlineData("/maple-street/patients/..%2F..%2Fetc/2026-10", 404)]
    [InlineData("/maple-street/patients/goldfinch/2026-99", 404)]
    [InlineData("/auth/oak-street/sign-in", 404)]
    [InlineData("/auth/oak-street/launch", 404)]
    [InlineData("/auth/maple-street/sign-in/7", 404)]
    [InlineData("/maple-street/months/2026-10?state=%27&sort=;drop&page=-1&q=%3Cscript%3Ealert(1)%3C/script%3E", 200)]
    [InlineData("/maple-street/months/2026-10?page=99999999999", 200)]
    [InlineData("/maple-street/months/2026-10?page=4000", 200)]
    public async Task An_address_that_leads_nowhere_says_so(string address, int status)
    {
        using var http = new HttpClient { BaseAddress = site.Root };
        using var answer = await http.GetAsync(address);
        await HelpsAsync(answer, status);
    }

    [Theory]
    [InlineData("{\"resourceType\":\"Task\",", "Not valid")]
    [InlineData("<Task xmlns=\"http://hl7.org/fhir\"><status value=", "Not valid")]
    [InlineData("[1,2,3]", "Not valid")]
    [InlineData("not FHIR at all", "Not valid")]
    [InlineData("{\"resourceType\":\"</textarea><script>alert(1)</script>\"}", "Not valid")]
    [InlineData("\u0001\u0002", "Not valid")]
    [InlineData("", "Validation bench")]
    public async Task Broken_content_on_the_bench_is_named(string source, string said)
    {
        using var answer = await PostAsync(new FormUrlEncodedContent(await FieldsAsync(("source", source))));
        (await HelpsAsync(answer, 200)).ShouldContain(said);
    }

    [Fact]
    public async Task Twenty_megabytes_are_read_and_more_is_refused_in_words()
    {
        var issue =
            "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"x\":\"" + new string('a', 20_000_000) + "\"}";
        using var taken = await PostAsync(Multipart(await FieldsAsync(("source", issue))));
        (await HelpsAsync(taken, 200)).ShouldContain("Not valid");
        using var refused = await PostAsync(
            Multipart(await FieldsAsync(("source", issue + new string(' ', 6_000_000))))
        );
        (await HelpsAsync(refused, 413)).ShouldContain("20 MB");
    }

    [Fact]
    public async Task NUL_in_a_paste_is_refused_in_words()
    {
        using var answer = await PostAsync(new FormUrlEncodedContent(await FieldsAsync(("source", "{\0}"))));
        (await HelpsAsync(answer, 400)).ShouldContain("NUL");
    }

    [Fact]
    public async Task What_is_no_form_is_refused_in_words()
    {
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var answer = await PostAsync(content);
        await HelpsAsync(answer, 415);
    }

    private static MultipartFormDataContent Multipart(Dictionary<string, string> fields)
    {
        var content = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
        {
            content.Add(new StringContent(value), name);
        }
        return content;
    }

    private readonly CookieContainer cookies = new();

    private async Task<Dictionary<string, string>> FieldsAsync(params (string Name, string Value)[] fields)
    {
        using var http = new HttpClient(new HttpClientHandler { CookieContainer = cookies })
        {
            BaseAddress = site.Root,
        };
        var page = await http.GetStringAsync("/lab");
        const string before = "name=\"form-token\" value=\"";
        var start = page.IndexOf(before, StringComparison.Ordinal) + before.Length;
        var all = fields.ToDictionary(field => field.Name, field => field.Value);
        all["form-token"] = page[start..page.IndexOf('"', start)];
        return all;
    }

    private async Task<HttpResponseMessage> PostAsync(HttpContent content)
    {
        using var http = new HttpClient(new HttpClientHandler { CookieContainer = cookies })
        {
            BaseAddress = site.Root,
        };
        return await http.PostAsync("/lab", content);
    }

    private static async Task<string> HelpsAsync(HttpResponseMessage answer, int status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        ((int)answer.StatusCode).ShouldBe(status, text.Length < 5000 ? text : "");
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        text.ShouldContain("<h1");
        text.ShouldContain("href=\"/\"");
        text.ShouldNotContain("   at ");
        text.ShouldNotContain("Exception");
        text.ShouldNotContain("<script>alert");
        return text;
    }
}
